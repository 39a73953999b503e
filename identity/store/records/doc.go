// Package records keeps typed, sealed records in a [store.Store] and answers
// from memory while the store's watch is up.
//
// # Use
//
// [Open] one [Cache] per process and per store, and a [Kind] for each type of
// record in it. A process then has one watch on its store, whatever the number
// of kinds. Kind has Get, Put (create or compare-and-swap), Update
// (read-modify-write), Delete and List.
//
// # What is stored
//
// A value is encoded by the kind's [Codec] and sealed with AES-256-GCM. The
// seal is bound to the record's place, so that a value that was copied to
// another key does not open. [Kind.ID] and [Kind.Owner] hash what they are
// given: a dump of the store shows neither keys nor owners, and is useless
// without the [Key]s.
//
// # When an answer comes from memory
//
// A copy in memory is current if the watch gave a sign of life less than a
// second ago ([store.Event]), if the copy was read or written since the watch
// last came up, and if no newer version has been reported. Otherwise the store
// is read, once for all callers that ask at the same time. A change by another
// process is seen when the store reports it, usually within a millisecond, and
// within a second by a process that was stopped or cut off. Expiry is not reported: callers for whom it
// matters compare Record.Expires with their clock.
//
// # Three answers
//
// A record may be absent ([Absent] reports true), unreadable
// ([ErrUnreadable]: its key is not configured, or its codec rejects it), or
// unknown because the store failed (any other error). Only the first means
// that a session has ended.
package records
