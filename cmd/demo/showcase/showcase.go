// Package showcase has the pages that only the demo has: a front page for users
// who are not signed in, *Live prices*, *Try an API*, the messages of the
// sign-in, and the accounts of platforms that administrators sign in to. It is a
// host application of package web, built on nothing but web's public API:
// [Showcase.AddTo] adds its pages to a web.Config.
//
// # Platforms
//
// /platforms shows [Config.Platforms] side by side: token systems that the
// demo signs in to, keeps signed in and calls. The package knows no client of a
// platform: a [Platform] says by functions what it can do. All administrators
// share one sign-in of each platform, in all processes that share the store. It
// outlives the administrator's session, for 30 days at most. It belongs to the
// account and to the server of the platform's call: after a change of either,
// the platform is not signed in.
//
// # Events
//
// Config.Logger receives the site's attributes (request, address, session) and
//
//	platform sign-in         client, user
//	platform sign-in failed  client, user, error
//	platform renew           client, user
//	platform use             client, user
//	platform expire          client, user: the platform forgot its access tokens
//	platform fail            client, user: a token request was made to fail
//	platform sign-out        client, user
//	platform action failed   client, user, error
//	token renewal            result, client, took, error
//	API call failed          call, error
package showcase

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// Config says what the pages show. Records is required.
type Config struct {
	// Records keeps the sign-ins of the platforms. It may be the site's.
	Records *records.Cache

	// Metrics counts the sign-ins of the platforms and their renewals. Nil: they
	// are not counted.
	Metrics *web.Metrics

	// FrontOfficeURL and BackOfficeURL are the APIs on the page Try an API, up to
	// the part before /api. Empty: the API is not offered.
	FrontOfficeURL, BackOfficeURL string

	// APITransport sends the calls of the APIs. Nil: web.NewAPITransport().
	APITransport http.RoundTripper

	// Platforms are the cards of the page Platforms. Nil: the page is not in the
	// navigation.
	Platforms []Platform

	// InsecureAllowHTTP accepts http in the platforms' URLs beyond loopback.
	InsecureAllowHTTP bool

	// SampleUsers are shown beside the sign-in form, and their one-time codes
	// beside the form of the second factor. The front page signs them in, and says
	// what they may try. Nil: none, and there is no front page.
	SampleUsers []SampleUser

	// IdentityURL is the URL of the IdentityServer, which the front page shows.
	// Empty: not shown.
	IdentityURL string

	// Logger receives the events. Nil: slog.Default().
	Logger *slog.Logger

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Showcase has the demo's pages. Close it after the site, and before the
// Records.
type Showcase struct {
	config  Config
	calls   []apiCall
	signIns *signIns
}

// New returns a Showcase. Its error joins every problem of the Config; those of
// a field are *[tokenapi.FieldError]s.
func New(config Config) (*Showcase, error) {
	if config.APITransport == nil {
		config.APITransport = web.NewAPITransport()
	}
	if config.Metrics == nil {
		config.Metrics = web.NewMetrics()
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	problems := tokenapi.Problems{}
	config.checkPlatforms(&problems)
	problems.Missing("Records", config.Records == nil)
	if err := problems.Err(); err != nil {
		return nil, fmt.Errorf("showcase: %w", err)
	}
	s := &Showcase{config: config, calls: apiCalls(config)}
	if len(config.Platforms) == 0 {
		return s, nil
	}
	var err error
	if s.signIns, err = newSignIns(config); err != nil {
		return nil, fmt.Errorf("showcase: %w", err)
	}
	return s, nil
}

// AddTo adds the pages to the site.
func (s *Showcase) AddTo(c *web.Config) {
	platforms := web.Page{Path: "/platforms", AdministratorsOnly: true, Get: s.platformsPage, Post: s.platformAction}
	if len(s.config.Platforms) > 0 {
		platforms.Name = "Platforms"
	}
	if s.config.FrontOfficeURL != "" {
		c.Pages = append(c.Pages, web.Page{Path: livePath, Name: "Live prices", Get: s.live})
	}
	c.Pages = append(c.Pages,
		web.Page{Path: "/try", Name: "Try an API", Get: s.tryPage, Post: s.tryCall},
		web.Page{Path: "/flow", Name: "Flow", Get: s.flow},
		platforms,
	)
	if c.Public == nil {
		c.Public = make(map[string]http.Handler)
	}
	c.Public[assetsPath] = assets
	c.OnSignIn = KeepFlow
	if len(s.config.SampleUsers) > 0 {
		c.FrontPage = s.config.frontPage()
		c.SignInAside = sampleUsers(s.config.SampleUsers)
		c.SecondFactorAside = sampleCodes(s.config.SampleUsers)
	}
}

// Close waits for the renewals under way, and then closes the platforms. When
// ctx ends, it cuts the renewals short.
func (s *Showcase) Close(ctx context.Context) error {
	if s.signIns == nil {
		return nil
	}
	problems := []error{s.signIns.vault.Close(ctx)}
	for _, p := range s.config.Platforms {
		if p.Close != nil {
			problems = append(problems, p.Close(ctx))
		}
	}
	return errors.Join(problems...)
}
