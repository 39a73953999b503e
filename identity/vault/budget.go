package vault

import "sync/atomic"

// A supply is how much is left of a token: of its life or of its budget.
type supply int

const (
	ample supply = iota // return the token
	low                 // return the token, and start a renewal
	empty               // wait for the successor
)

// A budget counts how often this process returns an access token, if the
// Refresher bounds that. The snapshots of one generation share it. A nil budget
// is unlimited.
type budget struct {
	limit int64
	used  atomic.Int64
}

// budgetOf returns a new budget for a token of r, or nil.
func budgetOf(r Refresher) *budget {
	bounded, ok := r.(interface{ MaxUses() int })
	if !ok || bounded.MaxUses() <= 0 {
		return nil
	}
	return &budget{limit: int64(bounded.MaxUses())}
}

// spend counts a use and returns how much was left for it. The supply is low
// from the use that reaches two thirds of the limit.
func (b *budget) spend() supply {
	if b == nil {
		return ample
	}
	switch used := b.used.Add(1); {
	case used > b.limit:
		return empty
	case used >= b.limit-b.limit/3:
		return low
	}
	return ample
}

// spent returns the uses so far, at most the limit, and the limit.
func (b *budget) spent() (uses, limit int) {
	if b == nil {
		return 0, 0
	}
	return int(min(b.used.Load(), b.limit)), int(b.limit)
}
