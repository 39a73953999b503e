package templates

import (
	"fmt"
	"time"
)

// German holds the texts of the site in German.
var German = Texts{
	Lang: "de",

	Frame: FrameTexts{ //nolint:gosec // texts, no credentials
		Skip:           "Zum Inhalt springen",
		Navigation:     "Hauptnavigation",
		SignedInAs:     "Angemeldet als",
		WithClient:     "Anwendung",
		Administrator:  "Administrator",
		SignOut:        "Abmelden",
		Cancel:         "Abbrechen",
		Account:        "Konto",
		Sessions:       "Sitzungen",
		TokensStayHere: "Die Tokens bleiben auf dem Server. Der Browser hat nur ein Sitzungs-Cookie.",
		TimesAreUTC:    "Alle Zeiten sind in UTC.",
		Theme:          "Darstellung",
		System:         "System",
		Light:          "Hell",
		Dark:           "Dunkel",
		EndsIdle:       "Sie werden in %s abgemeldet, weil Sie nicht aktiv sind.",
		EndsSoon:       "Ihre Sitzung endet in %s. Speichern Sie Ihre Arbeit und melden Sie sich dann neu an.",
		StaySignedIn:   "Angemeldet bleiben",
		TryAgainIn:     "Sie können es in %s noch einmal versuchen.",
		TryAgainNow:    "Sie können es jetzt noch einmal versuchen.",
		ErrorTitle:     "Fehler: %s",
	},
	SignIn: SignInTexts{
		Title:            "Anmelden",
		Lead:             "Melden Sie sich mit Ihrem B2Trader-Konto an.",
		Email:            "E-Mail-Adresse",
		Password:         "Passwort",
		Client:           "Anwendung",
		Submit:           "Anmelden",
		Needed:           "Melden Sie sich an, um diese Seite zu öffnen.",
		EndedIdle:        "Sie wurden abgemeldet, weil Sie einige Zeit nicht aktiv waren. Melden Sie sich wieder an, um fortzufahren.",
		Ended:            "Ihre Sitzung ist beendet: Sie haben sich hier oder anderswo abgemeldet, oder ihre Höchstdauer ist erreicht. Melden Sie sich wieder an, um fortzufahren.",
		Remember:         "E-Mail-Adresse in diesem Browser merken",
		Show:             "Zeigen",
		ShowWhat:         "das Passwort",
		Missing:          "Geben Sie Ihre E-Mail-Adresse und Ihr Passwort ein.",
		NotAdministrator: "Diese Anwendung ist nur für Administratoren. Wählen Sie eine andere und melden Sie sich noch einmal an.",
		Wrong:            "Die E-Mail-Adresse oder das Passwort ist falsch. Prüfen Sie beides und versuchen Sie es noch einmal.",
	},
	SecondFactor: SecondFactorTexts{
		Title:      "Noch ein Schritt",
		Lead:       "Geben Sie den Einmalcode ein, der Ihnen geschickt wurde.",
		Code:       "Einmalcode",
		Submit:     "Weiter",
		Account:    "Sie melden sich an als",
		NoCode:     "Kein Code, oder das falsche Konto?",
		StartAgain: "Neu beginnen",
		Wrong:      "Der Code wurde nicht angenommen. Prüfen Sie ihn und versuchen Sie es noch einmal.",
	},
	Account: AccountTexts{
		Title:             "Konto",
		NoName:            "Sie",
		Administrator:     "Administrator",
		Session:           "Sitzung",
		SignedIn:          "Angemeldet",
		IdleEnd:           "Endet bei Inaktivität",
		LatestEnd:         "Endet spätestens",
		SignOut:           "Abmelden",
		SignOutEverywhere: "Überall abmelden",
		EverywhereAsk:     "Auf allen Geräten abmelden? Alle Ihre Sitzungen auf dieser Website enden sofort, auch diese.",
		Scopes:            "Was diese Sitzung darf",
		NoScopes:          "Der IdentityServer hat für dieses Token keine Scopes genannt.",
		Granted:           "Erteilt",
		NotGranted:        "Nicht erteilt",
		Details:           "Details",
		DetailsNote:       "Benutzer-ID, Client und geprüfte Claims, für den Support",
		UserID:            "Benutzer-ID",
		ClientID:          "Client-ID",
		Copy:              "Kopieren",
		Copied:            "Kopiert",
		NotCopied:         "Nicht kopiert",
		Claims:            "Geprüfte Claims",
		ClaimsNote:        "Sie stammen aus dem ID-Token. Signatur, Aussteller, Empfänger, Nonce und Zeiten wurden geprüft.",
		NoClaims:          "Diese Sitzung hat kein ID-Token.",
		Compared:          "verglichen",
		NotShown:          "nicht gezeigt",
	},
	Token: TokenTexts{
		Title:        "Zugriffstoken",
		Valid:        "Gültig",
		Due:          "Erneuerung fällig",
		Expired:      "Abgelaufen",
		Idle:         "Unbenutzt",
		NotRenewed:   "Nicht erneuert",
		Left:         "übrig",
		LeftAt:       "beim Erstellen dieser Seite um %s",
		Meter:        "Restzeit des Zugriffstokens",
		Expires:      "Läuft ab:",
		Issued:       "Ausgestellt",
		Renewed:      "Erneuert",
		Unavailable:  "Das Token konnte nicht erneuert werden. Sie sind weiterhin angemeldet, und die nächste Anfrage versucht es noch einmal.",
		Note:         "Nach der Marke auf dem Balken erneuert jede Benutzung das Token im Hintergrund.",
		Refresh:      "Aktualisieren",
		NotFetched:   "Der Zustand des Tokens konnte nicht geladen werden. Ein neuer Versuch läuft.",
		SessionEnded: "Ihre Sitzung ist beendet.",
		SignInAgain:  "Wieder anmelden",
	},
	Sessions: SessionsTexts{
		Title:         "Sitzungen",
		Lead:          "Die Geräte, auf denen Sie auf dieser Website angemeldet sind. Wenn Sie eines nicht erkennen, beenden Sie seine Sitzung und ändern Sie Ihr Passwort.",
		List:          "Ihre Sitzungen",
		AtMost:        "%d von höchstens %d",
		None:          "Es gibt keine Sitzungen.",
		EndOthers:     "Alle anderen beenden",
		EndOthersAsk:  "Alle Ihre Sitzungen außer dieser beenden? Sie werden sofort abgemeldet.",
		EndAsk:        "Die Sitzung auf „%s“ beenden? Sie wird sofort abgemeldet.",
		Device:        "%s auf %s",
		UnknownDevice: "Unbekanntes Gerät",
		Where:         "Gerät",
		Client:        "Anwendung",
		Address:       "Adresse",
		Since:         "Angemeldet",
		Seen:          "Zuletzt gesehen",
		Current:       "Diese Sitzung",
		SignOut:       "Abmelden",
		End:           "Beenden",
	},
	Users: UsersTexts{
		Title:      "Benutzer",
		Lead:       "Die Benutzer dieser Website. Wählen Sie einen, um die Sitzungen zu sehen und zu beenden.",
		Find:       "Benutzer suchen",
		Search:     "E-Mail-Adresse oder Benutzer-ID",
		Submit:     "Suchen",
		UserID:     "Benutzer-ID",
		EndAll:     "Alle beenden",
		EndAllAsk:  "Alle Sitzungen von %s beenden? Sie werden sofort abgemeldet.",
		Back:       "Alle Benutzer",
		List:       "Kürzlich angemeldete Benutzer",
		None:       "Hier gibt es keine Benutzer.",
		User:       "Benutzer",
		Name:       "Name",
		LastSignIn: "Letzte Anmeldung",
		More:       "Weitere Benutzer",
		NotFound:   "Keine der letzten Anmeldungen passt zu %s. Prüfen Sie die Schreibweise oder geben Sie die Benutzer-ID ein.",
	},
	ErrorPage: ErrorPageTexts{
		Headline:  "Etwas ist schiefgegangen",
		Status:    "HTTP-Status",
		Request:   "Wenn Sie um Hilfe bitten, nennen Sie diese Anfrage-ID:",
		RequestID: "Anfrage-ID",
	},
	Landing: LandingTexts{
		Headline:    "Einen Moment",
		Explanation: "Sie kommen von einer anderen Website. Ihre Seite wird gleich geöffnet.",
	},
	Notices: NoticeTexts{
		SignedOut:           "Sie sind abgemeldet.",
		SignedOutEverywhere: "Sie sind überall abgemeldet.",
		SessionEnded:        "Die Sitzung ist beendet.",
		SessionEndedBefore:  "Die Sitzung war bereits beendet.",
		OthersEnded:         "Alle anderen Sitzungen sind beendet.",
		SessionsEnded: func(n int) string {
			if n == 1 {
				return "Eine Sitzung ist beendet."
			}
			return fmt.Sprintf("%d Sitzungen sind beendet.", n)
		},
	},
	Formats: FormatTexts{
		Seconds:      "%d s",
		Minutes:      "%d min",
		Hours:        "%d h",
		HoursMinutes: "%d h %d min",
		Days:         "%d Tage",
		In:           "noch %s",
		Times: func(n int) string {
			if n <= 0 {
				return "noch nicht"
			}
			return fmt.Sprintf("%d-mal", n)
		},
		Ago: agoInGerman,
		Stamp: func(t time.Time) string {
			return fmt.Sprintf("%d. %s %s UTC", t.Day(), germanMonths[t.Month()-1], t.Format("2006, 15:04:05"))
		},
		Clock:   func(t time.Time) string { return t.Format("15:04:05 UTC") },
		Unknown: "nicht bekannt",
	},
	Links: LinkTexts{
		SignIn:       "Anmelden",
		SignInAgain:  "Wieder anmelden",
		BackToSignIn: "Zurück zur Anmeldung",
		OtherClient:  "Bei einer anderen Anwendung anmelden",
		OtherAccount: "Mit einem anderen Konto anmelden",
		Account:      "Zu Ihrem Konto",
		Home:         "Zur Startseite",
		TryAgain:     "Noch einmal versuchen",
		Continue:     "Weiter",
	},

	Errors: germanErrors,
	Clients: map[string]ClientText{
		"spa":       {"Web-Terminal", "Handel: die FrontOffice-API"},
		"spa_admin": {"Back Office", "Verwaltung: die FrontOffice- und die BackOffice-API"},
	},
	Scopes: map[string]string{
		"openid":         "sagt dieser Website, wer Sie sind",
		"offline_access": "lässt diese Website das Token erneuern, solange Sie angemeldet sind",
		"FrontOffice":    "Handel: Orders, Guthaben, Marktdaten",
		"BackOffice":     "Verwaltung: Konten, Märkte, Berichte",
	},
	Claims: map[string]string{
		"sub":       "Ihre Benutzer-ID beim Aussteller",
		"role":      "Ihre Rolle auf der Plattform",
		"name":      "Ihr Name",
		"email":     "Ihre E-Mail-Adresse",
		"iss":       "der Aussteller des Tokens",
		"aud":       "der Client, für den das Token ist",
		"azp":       "der Client, der das Token angefordert hat",
		"iat":       "ausgestellt am",
		"nbf":       "gültig ab",
		"exp":       "läuft ab am",
		"auth_time": "wann Sie Ihr Passwort eingegeben haben",
		"amr":       "wie Sie sich angemeldet haben",
		"idp":       "wo Ihr Konto geführt wird",
		"sid":       "die Sitzung beim IdentityServer",
		"nonce":     "bindet das Token an diese Anmeldung",
		"at_hash":   "bindet das Token an das Zugriffstoken",
	},
}

// germanMonths are the abbreviations of the Duden. The shortest names have none.
var germanMonths = [...]string{"Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."}

// agoInGerman writes d in the largest whole unit, see agoInEnglish.
func agoInGerman(d time.Duration) string {
	n, one, many := int(d/time.Minute), "Minute", "Minuten"
	switch {
	case d < time.Minute:
		return "gerade eben"
	case d >= 48*time.Hour:
		n, one, many = int(d/(24*time.Hour)), "Tag", "Tagen"
	case d >= time.Hour:
		n, one, many = int(d/time.Hour), "Stunde", "Stunden"
	}
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("vor %d %s", n, many)
}
