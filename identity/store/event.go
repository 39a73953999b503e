package store

import "time"

// An EventKind is the kind of an Event.
type EventKind uint8

// The kinds of events.
const (
	// Synced begins a watch as soon as its connection stands, and follows
	// each interruption and each overflow of the reader's queue. What the
	// reader read from the store before may be out of date. Changes from
	// now on are reported.
	Synced EventKind = iota + 1
	// Lost reports that the watch is interrupted: the connection for events is
	// down, or the first one failed. Changes are not reported until the next
	// Synced. A healthy start brings no Lost.
	Lost
	// Changed reports that Put created or changed the record of Key.
	Changed
	// Deleted reports that Delete deleted the record of Key.
	Deleted
	// Alive is a sign of life, by its field At.
	Alive
)

// An Event is what a watch reports.
//
// Between a Synced and the next Lost or Synced every change is reported at
// least once. A change may be left out if a later change of the same key is
// reported. Events of one key come in the order of its versions, but an old
// event may be repeated. Events of different keys have no order. After an event
// with a Version, Get returns that version or a later one. A watch also reports
// the changes of its own process. It does not report expiry.
//
// A reader that is too slow loses events and gets Synced in their place. Lost
// comes at once when a connection is cut. When a connection goes silent, Lost
// comes within the time that the documentation of the store states.
//
// # Signs of life
//
// A process that was stopped, or whose connection went silent, does not know
// what it missed. So Synced and Alive say how far the reports have come: every
// change whose Put or Delete returned before At has been reported. A cache
// answers from memory only if At is a moment ago by its clock, and else reads
// the store ([records] answers from memory for a second).
//
// At is when this process began a round trip to the store that ended after all
// earlier changes had arrived. It is no time at which an answer arrived: answers
// may have waited while the process was stopped. It contains a reading of the
// monotonic clock, as time.Now returns it. A watch reports Alive about three
// times a second. If At is zero, caches read the store each time, which is
// always safe.
//
// [records]: https://pkg.go.dev/b2trader.identity.auth/identity/store/records
type Event struct {
	Kind    EventKind
	Key     string // in Changed and Deleted
	Version uint64 // in Changed and Deleted
	Err     error  // in Lost: the reason, for the log

	// At is in Synced and Alive: what was changed before has been reported.
	At time.Time
}

// String returns the name of the kind.
func (k EventKind) String() string {
	switch k {
	case Synced:
		return "synced"
	case Lost:
		return "lost"
	case Changed:
		return "changed"
	case Deleted:
		return "deleted"
	case Alive:
		return "alive"
	default:
		return "unknown"
	}
}
