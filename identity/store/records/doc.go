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
// another key does not open. [Kind.ID] hashes keys that cannot be guessed;
// [Kind.Owner] and [Kind.KeyedIDs] make names with the [Key]s. A dump of the
// store shows neither keys nor owners, and is useless without the Keys. A name
// lasts as long as its record: List and IDs look under the names of all Keys.
//
// # When an answer comes from memory
//
// A copy in memory is current if the watch gave a sign of life less than a
// second ago ([store.Event]), if the copy was read or written since the watch
// last came up, and if no newer version has been reported. Otherwise the store
// is read, once for all callers that ask at the same time. A change by another
// process is seen when the store reports it, usually within a millisecond, and
// within a second by a process that was stopped or cut off. Expiry is not
// reported: callers for whom it matters compare Record.Expires with [Cache.Now].
// A codec can leave a part of each value out of memory, see [Codec].Keep.
//
// # A store that forgets
//
// After a restart from an older copy, or a failover to a replica that lagged, a
// store shows older versions and deleted records again. A Cache remembers at
// least the last 32,768 versions and deletions that it wrote, read or heard of.
// A record that was deleted is deleted again, and counts as deleted. An older
// version is replaced by the copy in memory, and other processes take that for
// the newest. What a codec leaves out of memory comes from the older version.
// Where only the newer version's number is known, the record is unavailable for
// ten seconds, in which the process that has the copy can reach the store again.
// After an interruption of the watch the Cache looks through its memory for such
// records.
//
// # Clocks
//
// Times in records are by the store's clock. Cache measures how far it is ahead
// of the clock of this process, and Cache.Now tells its time. So processes that
// share a store agree, however wrong their own clocks are.
//
// # Three answers
//
// A record may be absent ([Absent] reports true), unreadable
// ([ErrUnreadable]: its key is not configured, or its codec rejects it), or
// unknown because the store failed (any other error). Only the first means
// that a session has ended.
package records
