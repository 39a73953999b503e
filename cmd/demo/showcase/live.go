package showcase

import (
	"net/http"

	"b2trader.identity.auth/web"
)

// The page Live prices opens the websocket of B2Trader's hub, which the site
// passes on with the session's token. live.js speaks SignalR and fills the
// page.
const (
	livePath  = "/live"
	hubStream = "/ws/frontoffice/v4/account"
)

// Rows that the page has from the beginning, so that nothing moves when the
// first prices and orders come.
const (
	priceRows = 6
	orderRows = 6
)

// hubMethods are the streams of the hub that the page opens. No document names
// B2Trader's: these are those of package identitytest.
const (
	pricesMethod = "Prices"
	ordersMethod = "Orders"
)

func (s *Showcase) live(w http.ResponseWriter, _ *http.Request, session *web.Session) error {
	return session.Render(w, web.Content{Title: "Live prices", Styles: styles, Body: livePage(assets.URL("live.js"))})
}
