package identitytest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The paths of the APIs, in lower case, and their scopes.
const (
	frontOfficePath  = "/frontoffice/api/v3"
	backOfficePath   = "/backoffice/api/v1"
	scopeFrontOffice = "FrontOffice"
	scopeBackOffice  = "BackOffice"
)

// maxOrders is how many orders of one user the server keeps.
const maxOrders = 100

// resource answers a request with a valid access token.
type resource func(x *exchange, token tokenClaims)

// frontOffice wraps a resource of the FrontOffice API.
func (s *Server) frontOffice(r resource) handler { return s.guard(scopeFrontOffice, r) }

// guard answers with r if the request has a valid access token with that scope.
func (s *Server) guard(scope string, r resource) handler {
	return func(x *exchange) {
		token, problem := s.checkBearer(x.Bearer())
		if problem == nil && !slices.Contains(token.Scopes, scope) {
			problem = &bearerProblem{status: http.StatusForbidden, code: "insufficient_scope", scope: scope}
		}
		if problem != nil {
			x.refuseBearer(problem)
			return
		}
		r(x, token)
	}
}

func unknownResource(x *exchange, _ tokenClaims) { x.problemDetails(http.StatusNotFound) }

// account answers GET /frontoffice/api/v3/account with the user of the token.
func (s *Server) account(x *exchange, token tokenClaims) {
	if !x.AllowOnly(http.MethodGet) {
		return
	}
	u, ok := s.byID[token.Subject]
	if !ok { // a token of client_credentials has no user
		x.problemDetails(http.StatusNotFound)
		return
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{
		{"id", u.ID},
		{"nickname", u.Nickname},
		{"email", u.Email},
		{"balances", []apitest.Object{
			{{"asset", "USD"}, {"available", "25000.00"}, {"locked", "0.00"}},
			{{"asset", "BTC"}, {"available", "0.75000000"}, {"locked", "0.00000000"}},
		}},
	})
}

// instruments answers GET /frontoffice/api/v3/instruments.
func (s *Server) instruments(x *exchange, _ tokenClaims) {
	if !x.AllowOnly(http.MethodGet) {
		return
	}
	var list []apitest.Object
	for _, in := range sampleInstruments() {
		list = append(list, apitest.Object{{"instrument", in.name}, {"bid", in.bid}, {"ask", in.ask}})
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{{"instruments", list}})
}

type instrument struct{ name, bid, ask string }

func sampleInstruments() []instrument {
	return []instrument{
		{"BTC_USD", "64120.50", "64131.00"},
		{"ETH_USD", "3188.10", "3188.90"},
		{"EUR_USD", "1.0871", "1.0872"},
	}
}

// order is a market order, filled at once at the sample price.
type order struct {
	id         string
	instrument string
	side       string
	amount     string
	price      string
	created    time.Time
}

func (o order) object() apitest.Object {
	return apitest.Object{
		{"id", o.id},
		{"instrument", o.instrument},
		{"side", o.side},
		{"amount", o.amount},
		{"price", o.price},
		{"status", "filled"},
		{"created", o.created.UTC().Format(time.RFC3339)},
	}
}

// orderBook keeps the orders by user. Its zero value is ready to use.
type orderBook struct {
	mu     sync.Mutex
	last   int
	orders map[string][]order
}

func (b *orderBook) list(userID string) []order {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.orders[userID])
}

func (b *orderBook) add(userID string, o order) order {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	o.id = strconv.Itoa(b.last)
	if b.orders == nil {
		b.orders = make(map[string][]order)
	}
	kept := b.orders[userID]
	if len(kept) >= maxOrders {
		kept = slices.Delete(kept, 0, 1)
	}
	b.orders[userID] = append(kept, o)
	return o
}

// ordersResource answers GET and POST /frontoffice/api/v3/orders.
func (s *Server) ordersResource(x *exchange, token tokenClaims) {
	switch {
	case !x.AllowOnly(http.MethodGet, http.MethodPost):
	case x.Method == http.MethodPost:
		s.placeOrder(x, token)
	default:
		list := []apitest.Object{}
		for _, o := range s.orders.list(token.Subject) {
			list = append(list, o.object())
		}
		x.JSON(http.StatusOK, mvcJSON, apitest.Object{{"orders", list}})
	}
}

// decimal is a positive amount, as text so that no digit is lost.
var decimal = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,8})?$`)

func (s *Server) placeOrder(x *exchange, token tokenClaims) {
	var in struct {
		Instrument string `json:"instrument"`
		Side       string `json:"side"`
		Amount     string `json:"amount"`
	}
	if !x.decodeJSON(&in) {
		return
	}
	all := sampleInstruments()
	at := slices.IndexFunc(all, func(i instrument) bool { return i.name == in.Instrument })
	if at < 0 || (in.Side != "buy" && in.Side != "sell") || !decimal.MatchString(in.Amount) {
		x.problemDetails(http.StatusBadRequest)
		return
	}
	price := all[at].ask
	if in.Side == "sell" {
		price = all[at].bid
	}
	placed := s.orders.add(token.Subject, order{
		instrument: in.Instrument, side: in.Side, amount: in.Amount, price: price, created: s.now(),
	})
	x.JSON(http.StatusCreated, mvcJSON, placed.object())
}
