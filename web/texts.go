package web

import "b2trader.identity.auth/templates"

// Texts holds every word that the site's own pages and errors show, in one
// language, grouped by page: Texts.SignIn.Title, for example. Change single
// texts of [English] or [German], or fill one for another language. Some texts
// are formats with %s or %d; [New] refuses a text whose verbs are not those of
// the English one.
//
// [templates.Texts] documents the fields. The words of a host application's own
// pages are its own, see [Content].
type Texts = templates.Texts

// ErrorText is one of Texts.Errors: what an error page tells people. A script
// gets the headline, as "message".
type ErrorText = templates.ErrorText

// ClientText is one of Texts.Clients: how the sign-in page offers a client.
type ClientText = templates.ClientText

// English returns the texts in English. The caller may change them.
func English() *Texts { return templates.Complete(&templates.English) }

// German returns the texts in German. The caller may change them.
func German() *Texts { return templates.Complete(&templates.German) }
