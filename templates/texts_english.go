package templates

import (
	"fmt"
	"time"
)

// English holds the texts of the site in English.
var English = Texts{
	Lang: "en",

	Frame: FrameTexts{ //nolint:gosec // texts, no credentials
		Skip:           "Skip to content",
		Navigation:     "Main",
		SignedInAs:     "Signed in as",
		WithClient:     "Application",
		Administrator:  "Administrator",
		SignOut:        "Sign out",
		Cancel:         "Cancel",
		Account:        "Account",
		Sessions:       "Sessions",
		TokensStayHere: "Tokens stay on the server. The browser holds only a session cookie.",
		TimesAreUTC:    "All times are UTC.",
		Theme:          "Theme",
		System:         "System",
		Light:          "Light",
		Dark:           "Dark",
		EndsIdle:       "You will be signed out in %s because you are inactive.",
		EndsSoon:       "Your session ends in %s. Save your work, then sign in again.",
		StaySignedIn:   "Stay signed in",
		TryAgainIn:     "You can try again in %s.",
		TryAgainNow:    "You can try again now.",
		ErrorTitle:     "Error: %s",
	},
	SignIn: SignInTexts{
		Title:            "Sign in",
		Lead:             "Use your B2Trader account.",
		Email:            "E-mail",
		Password:         "Password",
		Client:           "Application",
		Submit:           "Sign in",
		Needed:           "Sign in to open this page.",
		EndedIdle:        "You were signed out because you were inactive for some time. Sign in again to continue.",
		Ended:            "Your session has ended: you signed out here or elsewhere, or it reached its time limit. Sign in again to continue.",
		Remember:         "Remember my e-mail in this browser",
		Show:             "Show",
		ShowWhat:         "the password",
		Missing:          "Enter your e-mail and your password.",
		NotAdministrator: "Only administrators can use this application. Choose another one and sign in again.",
		Wrong:            "The e-mail or the password is wrong. Check both and try again.",
	},
	SecondFactor: SecondFactorTexts{
		Title:      "One more step",
		Lead:       "Enter the one-time code that was sent to you.",
		Code:       "One-time code",
		Submit:     "Continue",
		Account:    "You sign in as",
		NoCode:     "No code, or the wrong account?",
		StartAgain: "Start again",
		Wrong:      "The code was not accepted. Check it and try again.",
	},
	Account: AccountTexts{
		Title:             "Account",
		NoName:            "You",
		Administrator:     "Administrator",
		Session:           "Session",
		SignedIn:          "Signed in",
		IdleEnd:           "Ends if you are inactive",
		LatestEnd:         "Ends at the latest",
		SignOut:           "Sign out",
		SignOutEverywhere: "Sign out everywhere",
		EverywhereAsk:     "Sign out on every device? All your sessions on this site end at once, this one too.",
		Scopes:            "What this session may do",
		NoScopes:          "The IdentityServer named no scopes for this token.",
		Granted:           "Granted",
		NotGranted:        "Not granted",
		Details:           "Details",
		DetailsNote:       "User ID, client and verified claims, for support",
		UserID:            "User ID",
		ClientID:          "Client ID",
		Copy:              "Copy",
		Copied:            "Copied",
		NotCopied:         "Not copied",
		Claims:            "Verified claims",
		ClaimsNote:        "These are from the ID token. Its signature, issuer, audience, nonce and times were checked.",
		NoClaims:          "This session has no ID token.",
		Compared:          "compared",
		NotShown:          "not shown",
	},
	Token: TokenTexts{
		Title:        "Access token",
		Valid:        "Valid",
		Due:          "Renewal due",
		Expired:      "Expired",
		Idle:         "Idle",
		NotRenewed:   "Not renewed",
		Left:         "left",
		LeftAt:       "when this page was made, at %s",
		Meter:        "Time left of the access token",
		Expires:      "Expires:",
		Issued:       "Issued",
		Renewed:      "Renewed",
		Unavailable:  "The token could not be renewed. You are still signed in, and the next request tries again.",
		Note:         "After the mark on the bar, each use of the token renews it in the background.",
		Refresh:      "Refresh",
		NotFetched:   "The state of the token could not be loaded. Trying again.",
		SessionEnded: "Your session has ended.",
		SignInAgain:  "Sign in again",
	},
	Sessions: SessionsTexts{
		Title:         "Sessions",
		Lead:          "The devices on which you are signed in to this site. If you do not recognise one, end its session and change your password.",
		List:          "Your sessions",
		AtMost:        "%d of at most %d",
		None:          "There are no sessions.",
		EndOthers:     "End all others",
		EndOthersAsk:  "End all your sessions except this one? They are signed out at once.",
		EndAsk:        "End the session on %s? It is signed out at once.",
		Device:        "%s on %s",
		UnknownDevice: "Unknown device",
		Where:         "Device",
		Client:        "Application",
		Address:       "Address",
		Since:         "Signed in",
		Seen:          "Last seen",
		Current:       "This session",
		SignOut:       "Sign out",
		End:           "End",
	},
	Users: UsersTexts{
		Title:      "Users",
		Lead:       "The users of this site. Choose one to see the sessions and to end them.",
		Find:       "Find a user",
		Search:     "E-mail or user ID",
		Submit:     "Find",
		UserID:     "User ID",
		EndAll:     "End all",
		EndAllAsk:  "End all sessions of %s? They are signed out at once.",
		Back:       "All users",
		List:       "Users who signed in recently",
		None:       "There are no users here.",
		User:       "User",
		Name:       "Name",
		LastSignIn: "Last sign-in",
		More:       "More users",
		NotFound:   "No recent sign-in matches %s. Check the spelling, or enter the user ID.",
	},
	ErrorPage: ErrorPageTexts{
		Headline:  "Something went wrong",
		Status:    "HTTP status",
		Request:   "If you ask for help, give this request ID:",
		RequestID: "request ID",
	},
	Landing: LandingTexts{
		Headline:    "One moment",
		Explanation: "You come from another site. Your page opens in a moment.",
	},
	Notices: NoticeTexts{
		SignedOut:           "You are signed out.",
		SignedOutEverywhere: "You are signed out everywhere.",
		SessionEnded:        "The session has ended.",
		SessionEndedBefore:  "The session had already ended.",
		OthersEnded:         "All other sessions have ended.",
		SessionsEnded: func(n int) string {
			if n == 1 {
				return "One session has ended."
			}
			return fmt.Sprintf("%d sessions have ended.", n)
		},
	},
	Formats: FormatTexts{
		Seconds:      "%d s",
		Minutes:      "%d min",
		Hours:        "%d h",
		HoursMinutes: "%d h %d min",
		Days:         "%d days",
		In:           "in %s",
		Times: func(n int) string {
			switch {
			case n <= 0:
				return "not yet"
			case n == 1:
				return "once"
			default:
				return fmt.Sprintf("%d times", n)
			}
		},
		Ago:     agoInEnglish,
		Stamp:   func(t time.Time) string { return t.Format("2 Jan 2006, 15:04:05 UTC") },
		Clock:   func(t time.Time) string { return t.Format("15:04:05 UTC") },
		Unknown: "not known",
	},
	Links: LinkTexts{
		SignIn:       "Sign in",
		SignInAgain:  "Sign in again",
		BackToSignIn: "Back to the sign-in page",
		OtherClient:  "Sign in to another application",
		OtherAccount: "Sign in with another account",
		Account:      "To your account",
		Home:         "To the start page",
		TryAgain:     "Try again",
		Continue:     "Continue",
	},

	Errors: englishErrors,
	Clients: map[string]ClientText{
		"spa":       {"Web terminal", "Trading: the FrontOffice API"},
		"spa_admin": {"Back office", "Administration: the FrontOffice and BackOffice APIs"},
	},
	Scopes: map[string]string{
		"openid":         "tells this site who you are",
		"offline_access": "lets this site renew the token while you are signed in",
		"FrontOffice":    "trading: orders, balances, market data",
		"BackOffice":     "administration: accounts, markets, reports",
	},
	// OIDC Core, sections 2 and 3.1.3.6; role and idp are IdentityServer's.
	Claims: map[string]string{
		"sub":       "your user ID at the issuer",
		"role":      "your role on the platform",
		"name":      "your name",
		"email":     "your e-mail",
		"iss":       "the issuer of the token",
		"aud":       "the client that the token is for",
		"azp":       "the client that asked for the token",
		"iat":       "issued at",
		"nbf":       "not valid before",
		"exp":       "expires at",
		"auth_time": "when you entered your password",
		"amr":       "how you signed in",
		"idp":       "where your account is kept",
		"sid":       "the session at the IdentityServer",
		"nonce":     "ties the token to this sign-in",
		"at_hash":   "ties the token to the access token",
	},
}

// agoInEnglish writes d in the largest whole unit. app.js writes the same by
// Intl.RelativeTimeFormat when the page gets older.
func agoInEnglish(d time.Duration) string {
	n, unit := int(d/time.Minute), "minute"
	switch {
	case d < time.Minute:
		return "just now"
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "day"
	case d >= time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	if n > 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s ago", n, unit)
}
