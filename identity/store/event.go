package store

// A Kind is the kind of an Event.
type Kind uint8

// The kinds of events.
const (
	// Synced begins a watch, and follows each interruption and each overflow of
	// the reader's queue. What the reader read from the store before may be out
	// of date. Changes from now on are reported.
	Synced Kind = iota + 1
	// Lost reports that the watch is interrupted: the connection for events is
	// down. Changes are not reported until the next Synced.
	Lost
	// Changed reports that Put created or changed the record of Key.
	Changed
	// Deleted reports that Delete deleted the record of Key.
	Deleted
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
type Event struct {
	Kind    Kind
	Key     string // in Changed and Deleted
	Version uint64 // in Changed and Deleted
	Err     error  // in Lost: the reason, for the log
}

// String returns the name of the kind.
func (k Kind) String() string {
	switch k {
	case Synced:
		return "synced"
	case Lost:
		return "lost"
	case Changed:
		return "changed"
	case Deleted:
		return "deleted"
	default:
		return "unknown"
	}
}
