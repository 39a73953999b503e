package web_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// browserTrace is the traceparent of a browser: the example of W3C Trace Context.
const browserTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// A request, its API call, the renewal and each exchange are spans, below each
// other or on their own, and go on as traceparent. No span has a secret or a
// query, and a browser chooses no trace.
func TestTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exporter := tracetest.NewInMemoryExporter()
		var sent []string // the traceparent of each API call
		s := newSite(t, func(c *web.Config) {
			c.TracerProvider = sdk.NewTracerProvider(sdk.WithSyncer(exporter))
			base := c.APITransport
			c.APITransport = transportFunc(func(r *http.Request) (*http.Response, error) {
				sent = append(sent, r.Header.Get("Traceparent")+r.Header.Get("Tracestate"))
				return base.RoundTrip(r)
			})
		})
		b := s.browser()
		b.header.Set("Traceparent", browserTrace)
		b.header.Set("Tracestate", "browser=1")
		b.signIn("trader", "spa").leadsTo("/account")
		b.get("/account?code=hidden-in-query").is(200)
		b.get("/no-such-page/hidden").is(404)
		b.call("/api/frontoffice/v3/account?token=hidden-in-query").is(200)
		pass(31 * time.Second)
		b.call("/api/frontoffice/v3/account").is(200)
		synctest.Wait()

		all := exporter.GetSpans()
		signIn, call, renewal := one(t, all, "POST /sign-in"), one(t, all, "GET /api/frontoffice/"), one(t, all, "refresh token")
		for _, root := range []tracetest.SpanStub{signIn, one(t, all, "GET /account"), one(t, all, "GET"), call, renewal} {
			if root.Parent.IsValid() || strings.Contains(browserTrace, root.SpanContext.TraceID().String()) {
				t.Errorf("%s is below %v in trace %v, want a trace of its own", root.Name, root.Parent.SpanID(), root.SpanContext.TraceID())
			}
			linked := len(root.Links) == 1 && strings.Contains(browserTrace, root.Links[0].SpanContext.TraceID().String())
			if wantLink := root.SpanKind == trace.SpanKindServer; linked != wantLink {
				t.Errorf("%s has the links %v, want one to the browser's trace: %t", root.Name, root.Links, wantLink)
			}
		}
		if below := children(all, signIn); len(below) < 3 {
			t.Errorf("the sign-in has the exchanges %q below it, want sign-in, authorize and token", below)
		}
		if below := children(all, renewal); !slices.Equal(below, []string{"POST 127.0.0.1 /identity/connect/token"}) {
			t.Errorf("the renewal has the exchanges %q below it, want one for the token", below)
		}
		var waiting tracetest.SpanStub
		for _, span := range all {
			if span.Name == call.Name {
				waiting = span // the last one
			}
		}
		if len(renewal.Links) != 1 || !renewal.Links[0].SpanContext.Equal(waiting.SpanContext) {
			t.Errorf("the renewal has the links %v, want one to the API call that waits for it, %v", renewal.Links, waiting.SpanContext)
		}
		for endpoint, of := range map[identitytest.Endpoint][]tracetest.SpanStub{
			identitytest.EndpointSignIn: {signIn}, identitytest.EndpointAuthorize: {signIn}, identitytest.EndpointToken: {signIn, renewal},
		} {
			for i, r := range s.identity.Requests(endpoint) {
				if got := r.Header.Get("Traceparent"); i >= len(of) || !strings.Contains(got, of[i].SpanContext.TraceID().String()) || r.Header.Get("Tracestate") != "" {
					t.Errorf("request %d of %s at the IdentityServer has the traceparent %q, want that of the site's span", i, endpoint, got)
				}
			}
		}
		if below := children(all, call); !slices.Equal(below, []string{"GET 127.0.0.1 /frontoffice/api/v3/account"}) {
			t.Errorf("the API call has %q below it, want the exchange with the API", below)
		}
		if len(sent) != 2 || !strings.Contains(sent[0], call.SpanContext.TraceID().String()) || strings.Contains(sent[0], "browser") {
			t.Errorf("the API got the traces %q, want that of the call", sent)
		}
		dump := fmt.Sprintf("%+v", all)
		for name, value := range s.seen.all() {
			if strings.Contains(dump, value) {
				t.Errorf("a span has a %s", name)
			}
		}
		for _, hidden := range []string{"hidden", "browser=1", "trader@example.com", "trader-password"} {
			if strings.Contains(dump, hidden) {
				t.Errorf("a span has %q", hidden)
			}
		}
	})
}

// one returns the first span with a name.
func one(t *testing.T, all tracetest.SpanStubs, name string) tracetest.SpanStub {
	t.Helper()
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no span is called %q", name)
	return tracetest.SpanStub{}
}

// children returns the names and paths of the spans directly below parent.
func children(all tracetest.SpanStubs, parent tracetest.SpanStub) (found []string) {
	for _, s := range all {
		if s.Parent.SpanID() != parent.SpanContext.SpanID() {
			continue
		}
		path := ""
		for _, a := range s.Attributes {
			if a.Key == "url.path" {
				path = " " + a.Value.AsString()
			}
		}
		found = append(found, s.Name+path)
	}
	return found
}

// A failure is a failed span, without the text of its error.
func TestTracesOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exporter := tracetest.NewInMemoryExporter()
		s := newSite(t, func(c *web.Config) {
			c.TracerProvider = sdk.NewTracerProvider(sdk.WithSyncer(exporter))
			c.APITransport = transportFunc(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("hidden: %w", io.ErrUnexpectedEOF) })
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.call("/api/frontoffice/v3/account").is(502)
		all := exporter.GetSpans()
		for _, name := range []string{"GET /api/frontoffice/", "GET 127.0.0.1"} {
			var failed bool
			for _, s := range all {
				failed = failed || s.Name == name && s.Status.Code.String() == "Error" && s.Status.Description == ""
			}
			if !failed {
				t.Errorf("no span %q failed, want one", name)
			}
		}
		if strings.Contains(fmt.Sprintf("%+v", all), "hidden") {
			t.Error("a span has the text of an error")
		}
	})
}

// BenchmarkTracing compares the memory of an API call without and with spans.
func BenchmarkTracing(b *testing.B) {
	for name, provider := range map[string]trace.TracerProvider{"off": nil, "on": sdk.NewTracerProvider()} {
		b.Run(name, func(b *testing.B) {
			s := newAPISite(b, func(c *web.Config) {
				c.TracerProvider, c.Logger = provider, slog.New(slog.DiscardHandler)
				c.APITransport = transportFunc(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
				})
			})
			cookie := s.signedIn().cookie()
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/api/frontoffice/v3/x", nil)
				r.Header.Set("X-Requested-With", "fetch")
				r.Header.Set("Cookie", cookie)
				w := httptest.NewRecorder()
				if s.web.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
