package showcase

import (
	"os"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
	"b2trader.identity.auth/web"
)

// The front page signs the fitting sample user in and leads to what there is to
// try. field 12
func TestFrontPage(t *testing.T) {
	t.Parallel()
	users := []SampleUser{
		{"guarded@example.com", "guarded-password", "spa", "246810", ""},
		{"trader@example.com", "trader-password", "spa", "", ""},
		{"admin@example.com", "admin-password", "spa_admin", "", ""},
	}
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"all":          {Config{SampleUsers: users, Platforms: make([]Platform, 1)}, "trader@example.com /account, guarded@example.com /flow, admin@example.com /platforms"},
		"no platforms": {Config{SampleUsers: users}, "trader@example.com /account, guarded@example.com /flow"},
		"one user":     {Config{SampleUsers: users[1:2], Platforms: make([]Platform, 1)}, "trader@example.com /account"},
	} {
		doc := pagetest.Document(t, page(t, "/", c.config.frontPage().Body))
		var tries []string
		for _, form := range doc.Find(`form[action="/sign-in"]`).EachIter() {
			tries = append(tries, field(form, "email")+" "+field(form, "return_to"))
			if field(form, "password") != strings.Replace(field(form, "email"), "@example.com", "-password", 1) || field(form, "client") == "" {
				t.Errorf("%s: the form of %s signs in with the password %q and the client %q", name, field(form, "email"), field(form, "password"), field(form, "client"))
			}
		}
		if got := strings.Join(tries, ", "); got != c.want {
			t.Errorf("%s: things to try = %q, want %q", name, got, c.want)
		}
	}
}

func field(form *goquery.Selection, name string) string {
	return form.Find(`input[name="`+name+`"]`).AttrOr("value", "")
}

// Without sample users, as with a real IdentityServer, there is no front page.
func TestNoFrontPageWithoutSampleUsers(t *testing.T) {
	t.Parallel()
	var c web.Config
	new(Showcase).AddTo(&c)
	if c.FrontPage != nil || c.SignInAside != nil || c.SecondFactorAside != nil {
		t.Error("a site without sample users has a front page or shows sample users")
	}
}

// The code on the front page is that of README.md, which compiles.
func TestFrontPageShowsTheCodeOfTheREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), importCode) {
		t.Errorf("README.md lacks the code of the front page:\n%s", importCode)
	}
}
