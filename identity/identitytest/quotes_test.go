package identitytest

import (
	"testing"
	"time"
)

// The time alone determines prices and orders, and they move all the time.
func TestQuotesMoveByTheClock(t *testing.T) {
	t.Parallel()
	began := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, i := range sampleInstruments() {
		changes, last := 0, i.at(began).bid
		for d := time.Duration(0); d < time.Hour; d += i.every {
			q := i.at(began.Add(d))
			if again := i.at(began.Add(d)); again != q {
				t.Fatalf("%s at %v = %v, then %v", i.name, d, q, again)
			}
			if off := q.bid - i.bid; max(off, -off) > i.swing+i.swing/12 || q.ask != q.bid+i.spread {
				t.Fatalf("%s at %v = %s to %s, want at most %d from the middle", i.name, d, i.price(q.bid), i.price(q.ask), i.swing)
			}
			if q.bid != last {
				changes++
			}
			last = q.bid
		}
		if steps := int(time.Hour / i.every); changes < steps/2 {
			t.Errorf("%s changes in %d of %d steps, want in most", i.name, changes, steps)
		}
	}
}

func TestSampleOrders(t *testing.T) {
	t.Parallel()
	const n = 400_000_000
	statuses := map[string]int{}
	for i := range int64(100) {
		placed := time.Unix(0, (n+i)*int64(orderEvery))
		if o := sampleOrder(n+i, placed); o.status != "working" || o.filled != fixed(0, findLot(t, o).digits) || !o.created.Equal(placed) {
			t.Errorf("sampleOrder(%d) when it is placed = %+v, want working and nothing filled", n+i, o)
		}
		end := sampleOrder(n+i, placed.Add(shownOrders*orderEvery))
		statuses[end.status]++
		if (end.status == "filled") != (end.amount == end.filled) || end != sampleOrder(n+i, placed.Add(4*fillEvery)) {
			t.Errorf("sampleOrder(%d) in the end = %+v, want one that stays, filled or not", n+i, end)
		}
	}
	if len(statuses) != 2 || statuses["canceled"] < 5 || statuses["filled"] < 50 {
		t.Errorf("ends of 100 orders = %v, want most filled and some canceled", statuses)
	}
}

func findLot(t *testing.T, o order) lot {
	t.Helper()
	i, ok := findInstrument(o.instrument)
	if !ok {
		t.Fatalf("order of %s, want a sample instrument", o.instrument)
	}
	return i.lot
}
