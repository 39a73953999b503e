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

// maxOrders is how many orders of one user the server keeps.
const maxOrders = 100

// order is an order of a user.
type order struct {
	id         string
	instrument string
	side       string
	amount     string
	filled     string
	price      string
	status     string
	created    time.Time
}

func (o order) object() apitest.Object {
	return apitest.Object{
		{"id", o.id},
		{"instrument", o.instrument},
		{"side", o.side},
		{"amount", o.amount},
		{"filled", o.filled},
		{"price", o.price},
		{"status", o.status},
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
	if x.Method == http.MethodPost {
		s.placeOrder(x, token)
		return
	}
	list := []apitest.Object{}
	for _, o := range s.orders.list(token.Subject) {
		list = append(list, o.object())
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{{"orders", list}})
}

// decimal is a positive amount, as text so that no digit is lost.
var decimal = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,8})?$`)

// placeOrder fills a market order at once, at the price of the moment.
func (s *Server) placeOrder(x *exchange, token tokenClaims) {
	var in struct {
		Instrument string `json:"instrument"`
		Side       string `json:"side"`
		Amount     string `json:"amount"`
	}
	if !x.decodeJSON(&in) {
		return
	}
	traded, ok := findInstrument(in.Instrument)
	if !ok || (in.Side != "buy" && in.Side != "sell") || !decimal.MatchString(in.Amount) {
		x.problemDetails(http.StatusBadRequest)
		return
	}
	now := s.now()
	placed := s.orders.add(token.Subject, order{
		instrument: in.Instrument, side: in.Side, amount: in.Amount, filled: in.Amount, price: traded.at(now).takerPrice(in.Side),
		status: "filled", created: now,
	})
	x.JSON(http.StatusCreated, mvcJSON, placed.object())
}

// takerPrice is the price at which a market order is filled.
func (q quote) takerPrice(side string) string {
	if side == "sell" {
		return q.price(q.bid)
	}
	return q.price(q.ask)
}
