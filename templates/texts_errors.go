package templates

// ErrorText is what an error page tells people. A script gets the headline, as
// "message".
type ErrorText struct{ Headline, Explanation string }

// ErrorTexts holds the text of each error by its code. An error whose code is
// used for more than one case has the case after a dot; a script gets only the
// part before the dot. A text with %s or %d is a format.
var ErrorTexts = map[string]ErrorText{
	// Requests that this site does not understand or allow.
	"bad_request": {"This request cannot be understood",
		"The form is not one that this site sends. Go back, load the page again and repeat what you did."},
	"cross_origin": {"This request came from another site",
		"Nothing was done. If you meant it, open this site itself and do it there."},
	"forbidden": {"You don't have access to this page", "Your account is not allowed to do this."},
	"forbidden.administrators": {"This page is for administrators",
		"You need an administrator's account, signed in with a client that is granted the scope BackOffice. Sign in with another account or client to see the page."},
	"forbidden.call": {"This API is for administrators", "Nothing was passed on. Sign in with an administrator's account and a client that is granted the scope BackOffice."},
	"internal": {"Something went wrong here",
		"It is not your fault. Try again. If it happens again, tell the operator of this site, and give the request ID below."},
	"method_not_allowed": {"This cannot be done here",
		"The page exists, but not for this kind of request. Open it from the start page."},
	"not_found": {"There is no such page",
		"The address may be mistyped, or the page may have moved. The start page leads to all pages."},
	"too_large": {"The request is too large",
		"The request is larger than any form of this site. Shorten what you entered and send it again."},
	"unavailable": {"This page is not available at the moment", "Try again in a moment."},

	// Sessions and sign-ins.
	"attempt_over": {"This sign-in is no longer under way",
		"It was finished, it began more than %d minutes ago, or it began in another browser. Start again."},
	"misconfigured": {"This client is not set up correctly",
		"The IdentityServer does not accept this application as the client that it is configured as. Signing in again does not help: tell the operator of this site, and give the request ID below."},
	"no_session": {"Your session has ended",
		"You signed out, did not use the session for too long, or the IdentityServer ended it. Sign in again to continue."},
	"second_factor_refused": {"Too many wrong codes",
		"This sign-in is over. Start again with your password to get a new code."},
	"sign_in_refused": {"The IdentityServer refused this sign-in",
		"Your password was accepted, but this account may not use the client that you chose, or the sign-in took too long. Sign in again, or choose another client."},
	"too_many_attempts": {"Too many attempts to sign in",
		"Wait %d s, then try again: that is at %s UTC."},
	"unavailable.identity": {"The IdentityServer cannot be reached",
		"It does not answer, or it answers too slowly. Your password is not the reason. Try again in a moment."},
	"unavailable.sessions_left": {"Some sessions could not be ended",
		"%d of %d sessions are still signed in. Try again in a moment to end them, too."},
	"unavailable.renewal": {"Your token could not be renewed",
		"The IdentityServer does not answer as it should. You are still signed in. Try again in a moment."},
	"unusable_answer": {"The IdentityServer's answer cannot be trusted",
		"The answer does not conform to the standards, so it was discarded and did not sign you in. Try again. If it happens again, tell the operator of this site."},

	// API calls.
	"bad_request.body": {"The body of this call did not arrive completely", "Nothing was done."},
	"bad_request.path": {"The address of this call is not a plain path", "Nothing was done."},
	"busy":             {"Too many API calls are under way", "Try again in a moment."},
	"cross_origin.call": {"This call came from another site",
		"Nothing was done."},
	"header_required": {"API calls must carry the header X-Requested-With",
		"This address is for the scripts of this site. It is not a page."},
	"length_required": {"The body of a call must declare its length", "Send the header Content-Length."},
	"not_found.api":   {"There is no such API", "This site offers no API at this address."},
	"token_too_large": {"The session's token is too large for the API", "Tell the operator of this site."},
	"too_large.call":  {"The body of this call is too large", "Nothing was done."},
	"too_slow":        {"The body of this call arrives too slowly", "Try again on a faster connection."},
	"too_many_calls":  {"This session has too many API calls under way", "Try again in a moment."},
	"too_many_streams": {"This session has too many streams open",
		"Close one of them, then try again."},
	"upstream_redirect": {"The API answered with a redirect that leads away from it",
		"The redirect is not followed, because the token would go with it. Tell the operator of this site."},
	"upstream_timeout":     {"The API takes too long to answer", "Try again in a moment."},
	"upstream_unavailable": {"The API cannot be reached", "Try again in a moment."},
	"websocket_required":   {"This address is for websockets only", "Open it as a websocket from a page of this site."},
}

// The links on error pages.
var (
	LinkSignIn         = Link{Text: "Sign in", Href: "/sign-in"}
	LinkSignInAgain    = Link{Text: "Sign in again", Href: "/sign-in"}
	LinkOtherClient    = Link{Text: "Sign in with another client", Href: "/sign-in"}
	LinkOtherAccount   = Link{Text: "Sign in with another account", Href: "/sign-in"}
	LinkBackToSignIn   = Link{Text: "Back to the sign-in page", Href: "/sign-in"}
	LinkAccount        = Link{Text: "To your account", Href: "/account"}
	LinkHome           = Link{Text: "To the start page", Href: "/"}
	LinkTryAgain       = Link{Text: "Try again"}
	LinkTrySignInAgain = Link{Text: "Try again", Href: "/sign-in"}
	LinkContinue       = Link{Text: "Continue"}
)

// To returns the link with another target.
func (l Link) To(href string) Link { return Link{Text: l.Text, Href: href} }
