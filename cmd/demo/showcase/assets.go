package showcase

import (
	"embed"

	"b2trader.identity.auth/static"
)

// assetsPath is where the site serves the style sheets and the script of the
// showcase.
const assetsPath = "/showcase/"

//go:embed flow.css frontpage.css platforms.css tryapi.css live.css live.js
var files embed.FS

var (
	assets = static.Must(static.New(assetsPath, files))
	styles = []string{assets.URL("flow.css"), assets.URL("frontpage.css"), assets.URL("platforms.css"), assets.URL("tryapi.css"), assets.URL("live.css")}
)
