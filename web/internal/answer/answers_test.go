package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
)

func newAnswers(t *testing.T) *Answers {
	t.Helper()
	a, err := New(Config{
		Logger:     slog.New(slog.DiscardHandler),
		Blank:      templates.Page{Texts: &templates.English},
		Frame:      func(*http.Request, string) templates.Page { return templates.Page{Texts: &templates.English} },
		Translate:  func(err error) error { return err },
		EndSession: func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Where not even the error page can be drawn, the one drawn at the start is sent.
func TestFallbackPage(t *testing.T) {
	a := newAnswers(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second)) // no component draws then
	defer cancel()
	w := httptest.NewRecorder()
	a.Fail(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), errors.New("private"))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "Something went wrong here") || strings.Contains(w.Body.String(), "private") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

func TestAbandonedRequest(t *testing.T) {
	a := newAnswers(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	a.Fail(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), fmt.Errorf("call: %w", context.Canceled))
	if w.Code != 499 || w.Body.Len() > 0 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// req 132: an unknown error is an internal error without a detail.
func TestExplain(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/flow?a=b", nil)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("private"), 500, "internal"},
		{fmt.Errorf("x: %w", vault.ErrEnded), 401, "no_session"},
		{fmt.Errorf("x: %w", vault.ErrNotFound), 401, "no_session"},
		{fmt.Errorf("x: %w", &vault.UnavailableError{Err: tokenapi.ErrMisconfigured}), 503, "unavailable"}, // req 57: no session is lost
		{&tokenapi.Error{Err: tokenapi.ErrUnavailable, RetryAfter: 9 * time.Second}, 503, "unavailable"},
		{&tokenapi.Error{Err: tokenapi.ErrSecondFactorRequired}, 500, "internal"},
		{&http.MaxBytesError{}, 413, "too_large"},
		{&Error{Status: 404, Err: errors.New("private")}, 404, "not_found"},
		{&Error{Status: 418}, 418, "internal"},
	} {
		f := Explain(r, c.err)
		if f.Status != c.status || f.ShortCode() != c.code || f.Text(&templates.English).Headline == "" || f.Text(&templates.English).Explanation == "" || len(f.Actions) == 0 || f.Err == nil {
			t.Errorf("Explain(%v) = %+v, want status %d and code %s with a text, a link and a cause", c.err, f, c.status, c.code)
		}
		if strings.Contains(f.Text(&templates.English).Headline+f.Text(&templates.English).Explanation, "private") {
			t.Errorf("%v is in the text for people", c.err)
		}
	}
	if f := Explain(r, ErrNoSession); f.Actions[0].Href != "/sign-in?return_to=%2Fflow%3Fa%3Db" {
		t.Errorf("sign in again at %s", f.Actions[0].Href)
	}
}

// Each code in the sources of web has a text, and each text is used.
func TestErrorTexts(t *testing.T) {
	for code, text := range templates.English.Errors {
		if text.Headline == "" || text.Explanation == "" {
			t.Errorf("templates.English.Errors[%q] = %+v, want a headline and an explanation", code, text)
		}
	}
	used := map[string]bool{}
	for _, code := range usualCodes {
		used[code] = true
	}
	for _, folder := range []string{"../..", ".", "../gateway"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", folder, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range codeLiteral.FindAllStringSubmatch(string(source), -1) {
				code := cmp.Or(m[1], m[2])
				if used[code] = true; templates.English.Errors[code].Headline == "" {
					t.Errorf("%s has the code %q, which is not in templates.English.Errors", file, code)
				}
			}
		}
	}
	for code := range templates.English.Errors {
		if !used[code] {
			t.Errorf("templates.English.Errors[%q] is not used", code)
		}
	}
	for status, code := range usualCodes {
		if _, known := templates.English.Errors[code]; !known {
			t.Errorf("status %d has the code %q, which is not in templates.English.Errors", status, code)
		}
	}
}

var codeLiteral = regexp.MustCompile(`\bCode: +"([^"]+)"|\.Code = http\.\w+, "([^"]+)"`)
