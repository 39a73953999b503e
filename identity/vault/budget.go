package vault

import "sync/atomic"

// A rest is what is left of a token, of its life or of its budget.
type rest int

const (
	plenty  rest = iota // hand it out
	little              // hand it out, and start a renewal
	nothing             // wait for the successor
)

// A budget counts how often this process hands out an access token, where its Refresher bounds that. The held states of one
// generation share it. A nil budget bounds nothing.
type budget struct {
	uses int64 // that there are
	used atomic.Int64
}

// budgetOf returns a new budget, if tokens of r need one.
func budgetOf(r Refresher) *budget {
	bounded, ok := r.(interface{ MaxUses() int })
	if !ok || bounded.MaxUses() <= 0 {
		return nil
	}
	return &budget{uses: int64(bounded.MaxUses())}
}

// spend counts a use and says whether there was one: the last third begins with the use that makes two thirds.
func (b *budget) spend() rest {
	if b == nil {
		return plenty
	}
	switch used := b.used.Add(1); {
	case used > b.uses:
		return nothing
	case used >= b.uses-b.uses/3:
		return little
	}
	return plenty
}

// spent says how many uses were handed out, and how many there are.
func (b *budget) spent() (uses, of int) {
	if b == nil {
		return 0, 0
	}
	return int(min(b.used.Load(), b.uses)), int(b.uses)
}
