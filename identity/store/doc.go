// Package store defines what this module needs from a database: a [Store] of
// small records that expire, with five methods.
//
// # Which store
//
// memstore is for one process and for tests, sqlitestore for one machine and
// one file, redisstore for Redis and Valkey (single, Sentinel or Cluster), and
// pgstore for PostgreSQL. All four pass the conformance suite in storetest,
// which is exported for other stores.
//
// # Versions
//
// Every change gives a record a higher version. No version of a key is used
// twice, not even by a record that is created after an earlier one expired. So
// a version is a fencing token: a Put that names a version changes nothing
// unless exactly that version is stored. Versions of different keys cannot be
// compared.
//
// # Deletion
//
// Delete leaves a tombstone until the record would have expired. Until then no
// Put brings the key back, neither with the version that it read before nor
// with Version 0. Afterwards a Put with Version 0 creates the key, and a Put
// that names a version does not.
//
// # Clocks
//
// Record.Expires is a time on the clock of the store: that of the Redis or
// PostgreSQL server, or of the machine for a memory or SQLite store. Only this
// clock decides whether a record has expired, so all processes agree. A client
// whose clock is wrong by d writes records that live longer or shorter by d,
// unless it reckons by the store's clock as package records does: all four
// stores tell it ([Clock]). Stores keep the time in milliseconds, rounded down.
//
// # Miss, conflict, fault
//
// A miss ([ErrNotFound], [ErrDeleted]), a conflict ([ErrConflict]) and a fault
// ([ErrUnavailable]) are three different answers. A fault says nothing about
// the record, so a request of a session is then answered 503 and not "no
// session". After a fault of Put or Delete the change may have been made, and
// Get shows whether it was. If the context of the caller ended, the error wraps
// the error of the context and not ErrUnavailable, and the change may have been
// made too.
//
// # Values
//
// A store does not look into keys, owners and values. Callers hash keys and
// owners and seal values, so that a dump of a store reveals nothing.
package store
