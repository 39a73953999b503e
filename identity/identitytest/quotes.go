package identitytest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// instrument is one market of the APIs. Its numbers are whole units of the last
// digit of its price.
type instrument struct {
	name        string
	digits      int // of a price, after the point
	bid, spread int64
	swing       int64         // how far the bid moves from its middle, at most about that
	every       time.Duration // how long a quote stays
	lot         lot           // of the sample orders
}

// lot is the smallest amount of an order. Amounts of sample orders are multiples
// of four of its units.
type lot struct {
	units  int64
	digits int
}

func sampleInstruments() []instrument {
	return []instrument{
		{"BTC_USD", 2, 64_120_50, 10_50, 180_00, 300 * time.Millisecond, lot{4, 2}},
		{"ETH_USD", 2, 3_188_10, 80, 12_00, 400 * time.Millisecond, lot{40, 2}},
		{"SOL_USD", 2, 142_36, 4, 90, 550 * time.Millisecond, lot{8, 0}},
		{"EUR_USD", 5, 1_08714, 9, 120, 450 * time.Millisecond, lot{400, 0}},
		{"GBP_USD", 5, 1_26480, 12, 140, 700 * time.Millisecond, lot{400, 0}},
		{"XAU_USD", 2, 2_338_40, 35, 4_20, 900 * time.Millisecond, lot{4, 0}},
	}
}

func findInstrument(name string) (instrument, bool) {
	all := sampleInstruments()
	at := slices.IndexFunc(all, func(i instrument) bool { return i.name == name })
	if at < 0 {
		return instrument{}, false
	}
	return all[at], true
}

// quote is the price of an instrument at a time.
type quote struct {
	instrument
	bid, ask int64
	since    time.Time
}

// wave is how many quotes lie between two turning points of a price.
const wave = 24

// at returns the quote at a time. It depends on the time alone, so that servers
// and tests with the same clock have the same prices: the bid moves in straight
// lines between random turning points, and a little beside them.
func (i instrument) at(now time.Time) quote {
	step := now.UnixNano() / int64(i.every)
	from, to := i.random(step/wave, i.swing), i.random(step/wave+1, i.swing)
	line := from + (to-from)*(step%wave)/wave
	bid := i.bid + line + i.random(-step, i.swing/12)
	return quote{instrument: i, bid: bid, ask: bid + i.spread, since: time.Unix(0, step*int64(i.every))}
}

// random returns a number from -limit to limit that n and the instrument
// determine.
func (i instrument) random(n, limit int64) int64 { return chance(i.name, n)%(2*limit+1) - limit }

// chance returns a number from 0 that looks random and that topic and n
// determine.
func chance(topic string, n int64) int64 {
	sum := fnv.New64a()
	_, _ = fmt.Fprint(sum, n, topic) // a hash never fails
	return int64(sum.Sum64() >> 1)   // 63 bits fit
}

// price formats a price of the instrument.
func (i instrument) price(units int64) string { return fixed(units, i.digits) }

// fixed formats units of the last of so many digits after the point.
func fixed(units int64, digits int) string {
	if digits == 0 {
		return strconv.FormatInt(units, 10)
	}
	text := fmt.Sprintf("%0*d", digits+1, units)
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// object is the quote in the API's list of instruments.
func (q quote) object() apitest.Object {
	return apitest.Object{{"instrument", q.name}, {"bid", q.price(q.bid)}, {"ask", q.price(q.ask)}}
}

// priceStream returns the items of the stream Prices: first the quotes of all
// instruments, then those that have changed.
func priceStream() streamItems {
	shown := make(map[string]int64)
	return func(now time.Time) []apitest.Object {
		var items []apitest.Object
		for _, i := range sampleInstruments() {
			q := i.at(now)
			if last, known := shown[i.name]; known && last == q.bid {
				continue
			}
			shown[i.name] = q.bid
			item := q.object()
			item.Add("time", q.since.UTC().Format(streamTime))
			items = append(items, item)
		}
		return items
	}
}

// streamTime is the form of times in streams: milliseconds, because prices move
// more than once in a second.
const streamTime = "2006-01-02T15:04:05.000Z07:00"
