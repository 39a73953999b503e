package identitytest

import (
	"strconv"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The sample orders of the stream Orders: one is placed each orderEvery, and is
// filled by a quarter each fillEvery. Some are canceled halfway.
const (
	orderEvery = 5 * time.Second
	fillEvery  = 3 * time.Second

	shownOrders = 8 // more than those that are not complete
)

// sampleOrder returns sample order n as it is at a time. It depends on both
// alone.
func sampleOrder(n int64, now time.Time) order {
	created := time.Unix(0, n*int64(orderEvery))
	all := sampleInstruments()
	i := all[chance("instrument", n)%int64(len(all))]
	side := []string{"buy", "sell"}[chance("side", n)%2]
	units := i.lot.units * (1 + chance("amount", n)%9)
	quarters := min(int64(now.Sub(created)/fillEvery), 4)
	status := []string{"working", "partial", "partial", "partial", "filled"}[quarters]
	if quarters > 2 && chance("cancel", n)%5 == 0 {
		quarters, status = 2, "canceled"
	}
	return order{
		id: strconv.FormatInt(n, 10), instrument: i.name, side: side, amount: fixed(units, i.lot.digits),
		filled: fixed(units*quarters/4, i.lot.digits), price: i.at(created).takerPrice(side), status: status, created: created,
	}
}

// orderStream returns the items of the stream Orders: first the user's orders
// and the last sample orders, then those that are new or have changed.
func (s *Server) orderStream(userID string) streamItems {
	var lastID int // of the user's orders that were shown
	shown := make(map[int64]order)
	return func(now time.Time) []apitest.Object {
		var items []apitest.Object
		for _, o := range s.orders.list(userID) {
			if id, _ := strconv.Atoi(o.id); id > lastID { // orderBook.add made it
				lastID = id
				items = append(items, o.object())
			}
		}
		newest := now.UnixNano() / int64(orderEvery)
		for n := newest - shownOrders + 1; n <= newest; n++ {
			if o := sampleOrder(n, now); o != shown[n] {
				shown[n] = o
				items = append(items, o.object())
			}
		}
		delete(shown, newest-shownOrders)
		return items
	}
}
