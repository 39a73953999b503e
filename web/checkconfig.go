package web

import (
	"fmt"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/templates"
)

// validate returns every problem of c, joined. Each is a
// *[tokenapi.FieldError].
func (c Config) validate() error {
	var p tokenapi.Problems
	p.Missing("Clients", len(c.Clients) == 0)
	seen := make(map[string]bool)
	for i, client := range c.Clients {
		field := fmt.Sprintf("Clients[%d]", i)
		switch {
		case client == nil:
			p.Missing(field, true)
		case client.IsMachine():
			p.Add(field, "is %s, a machine's client, which no person signs in with", client.ID())
		case seen[client.ID()]:
			p.Add(field, "is there twice: %s", client.ID())
		default:
			seen[client.ID()] = true
		}
	}
	p.Missing("Store", c.Store == nil)
	p.Missing("Keys", len(c.Keys) == 0)
	c.checkPages(&p)
	c.Brand.check(&p)
	templates.CheckTexts(c.Texts, func(field, problem string) { p.Add("Texts"+field, "%s", problem) })
	c.FrontOffice.check("FrontOffice", &p)
	c.BackOffice.check("BackOffice", &p)
	if u := p.URL("PublicURL", c.PublicURL, c.InsecureAllowHTTP); u != nil && u.Path != "" {
		p.Add("PublicURL", "must have no path")
	}
	if c.FrontOfficeURL != "" {
		p.URL("FrontOfficeURL", c.FrontOfficeURL, c.InsecureAllowHTTP)
	}
	if c.BackOfficeURL != "" {
		p.URL("BackOfficeURL", c.BackOfficeURL, c.InsecureAllowHTTP)
	}
	p.Negative("IdleTimeout", c.IdleTimeout < 0)
	p.Negative("AbsoluteTimeout", c.AbsoluteTimeout < 0)
	if c.AbsoluteTimeout >= 0 && c.IdleTimeout > c.AbsoluteTimeout {
		p.Add("IdleTimeout", "is longer than the absolute timeout")
	}
	if c.AbsoluteTimeout > maxSession {
		p.Add("AbsoluteTimeout", "is more than 30 days")
	}
	p.Negative("MaxSessionsPerUser", c.MaxSessionsPerUser < 0)
	p.Negative("AttemptsPerAccount", c.AttemptsPerAccount < 0)
	p.Negative("AttemptsPerAddress", c.AttemptsPerAddress < 0)
	for i, proxy := range c.TrustedProxies {
		if !proxy.IsValid() {
			p.Add(fmt.Sprintf("TrustedProxies[%d]", i), "is not a prefix")
		}
	}
	return p.Err()
}
