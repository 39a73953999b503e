// Package store says what this module asks of a database: five methods over small records that expire.
//
// # Which one
//
// memstore for one process and tests; sqlitestore for one machine and one file; redisstore for Redis and Valkey,
// single, Sentinel or Cluster; pgstore for PostgreSQL. All four pass the suite in storetest, which is exported for
// stores that others write.
//
// # Versions
//
// Every change of a record gives it a higher version, and no version of a key is used twice, not even by a record
// that is created anew after an earlier one expired. So a version is a fencing token: a Put that names a version
// changes nothing unless that very version is stored. Versions of different keys say nothing about each other.
//
// # Deletion is the last word
//
// Delete leaves a tombstone until the moment at which the record would have expired. While it stands, no Put brings
// the key back: not one that read the record before, not one that creates. Afterwards only a Put with Version 0
// creates the key; a Put that names a version never does.
//
// # Whose clock
//
// Record.Expires is a moment on the clock of the store: the Redis or PostgreSQL server, or the machine of a memory or
// SQLite store. Only that clock is asked whether a record has expired, so all processes agree on it whatever their
// own clocks say. A client whose clock is wrong by d writes records that live longer or shorter by d, and no more
// than that. Expiry is kept to the millisecond, rounded down.
//
// # Three answers that must not be confused
//
// A miss ([ErrNotFound], [ErrDeleted]), a conflict ([ErrConflict]) and a fault ([ErrUnavailable]). A fault says
// nothing about the record: the answer to a session request is then 503, never "no session". After a fault of Put or
// Delete the change may have been made; Get tells. If it was the caller's own context that ended, the error is that
// of the context and not ErrUnavailable, and the change may have been made, too.
//
// # Values
//
// A store does not look into values, keys or owners and keeps them as given: callers seal values and hash keys and
// owners, so that a dump of a store is worth nothing.
package store
