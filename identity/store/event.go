package store

// A Kind says what an Event reports.
type Kind uint8

// The kinds of events.
const (
	// Synced begins every watch and follows every interruption and every overflow of the reader's buffer: what was
	// learnt from the store before it may be out of date, what changes after it is reported.
	Synced Kind = iota + 1
	// Lost says that the connection that brings events is down: until Synced comes, changes go unreported. Who needs
	// to know reads from the store.
	Lost
	// Changed says that Put created or changed the record of Key.
	Changed
	// Deleted says that Delete ended the record of Key.
	Deleted
)

// An Event of a watch.
//
// Between a Synced and the next Lost or Synced, every change is reported at least once, except that a change may be
// left out if a later one of the same key is reported. Events of one key come in the order of its versions, except
// that an old event may be repeated; between keys there is no order. After an event with a Version, Get answers from
// that version or a later one. The writer's own changes are reported to it, too. Expiry is not reported.
//
// A reader that is too slow loses events and gets Synced in their place. A connection that is cut shows as Lost at
// once; one that goes silent, within the time that the store states.
type Event struct {
	Kind    Kind
	Key     string // of Changed and Deleted
	Version uint64 // of Changed and Deleted
	Err     error  // of Lost: the reason, for the log
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
