package templates

// Action is a link on an error page. Its text is in the language of the page.
type Action struct {
	Href string
	text func(x LinkTexts) string
}

// The actions of error pages.
var (
	ActionSignIn         = Action{"/sign-in", func(x LinkTexts) string { return x.SignIn }}
	ActionSignInAgain    = Action{"/sign-in", func(x LinkTexts) string { return x.SignInAgain }}
	ActionBackToSignIn   = Action{"/sign-in", func(x LinkTexts) string { return x.BackToSignIn }}
	ActionOtherClient    = Action{"/sign-in", func(x LinkTexts) string { return x.OtherClient }}
	ActionOtherAccount   = Action{"/sign-in", func(x LinkTexts) string { return x.OtherAccount }}
	ActionTrySignInAgain = Action{"/sign-in", func(x LinkTexts) string { return x.TryAgain }}
	ActionAccount        = Action{"/account", func(x LinkTexts) string { return x.Account }}
	ActionHome           = Action{"/", func(x LinkTexts) string { return x.Home }}
	ActionTryAgain       = Action{"", func(x LinkTexts) string { return x.TryAgain }}
	ActionContinue       = Action{"", func(x LinkTexts) string { return x.Continue }}
)

// To returns the action with another target.
func (a Action) To(href string) Action { return Action{href, a.text} }
