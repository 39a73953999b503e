// Package vault keeps tokens alive, once for all processes that share a store.
//
// # Use
//
// Put a token under a key, such as a session's ID, and call Token with that key
// whenever a request needs one. A renewal starts when two thirds of the token's
// life have passed; until the token expires, no caller waits for it. After
// that, all callers wait for the same renewal, each as long as its own context
// allows. The renewal outlives them.
//
// [Vault.Client] returns an http.Client that shows the live token of an entry,
// [Transport] is the same for a transport of your own, and [Vault.TokenSource]
// makes an entry an oauth2.TokenSource, as gRPC takes it.
//
// # One renewal, however many processes
//
// On B2Trader an access token lives 30 seconds, and a refresh token works once,
// without a grace period. So a renewal reads the record from the store, takes a
// lease on it by compare-and-swap, sends the refresh token, and stores the
// successor before any caller gets it. The holder extends the lease while the
// server works. The record's version fences the lease: a process that was
// paused cannot overwrite a newer record.
//
// # The server's pace
//
// A process has a bounded number of renewals of each client under way: 64 at
// first, then between 4 and 256, as many as the server answers well. The others
// wait, first come, first served, and those that callers wait for go first. A
// renewal waits before it takes the lease. Each runs in the end, even if its
// callers have left.
//
// # What a failure means
//
//   - The request was not sent: the vault repeats it a moment later.
//   - It may have been sent, and no answer came: the vault reads the record
//     again, then asks the server once more.
//   - The server fails or asks to wait (5xx, 429): the entry is kept. The old
//     token serves while it lives. After that Token returns an
//     [UnavailableError], and the pauses between renewals grow. When the server
//     renews one entry after an outage, the pauses of the others end, except
//     those that the server asked for.
//   - The server does not accept the client: the same, with an error in the log.
//   - The refresh token is refused, and no other process changed the record:
//     the entry's State, if it has one, brings new tokens without a password. If
//     the server refuses that too, the entry has ended, and the vault makes no
//     more calls for it.
//   - The successor cannot be stored: the vault tries until it can. No caller
//     gets the successor before.
//   - The store is unavailable: Token returns an UnavailableError. No entry
//     ends, and nothing needs a restart.
//   - The entry was deleted meanwhile: the new tokens are revoked.
//
// # A budget of uses
//
// Some vendors want an access token to be used a few dozen times at most. If a
// [Refresher] has such a limit, Token and Renew return each access token that
// often. From two thirds of the limit on, a renewal is due; beyond the limit,
// callers wait for the successor as they do after expiry. If no successor
// comes, because renewals fail or take longer than Config.MaxWait, callers get
// the token after all while it lives: the limits are soft, and an outage of the
// token endpoint should not become the caller's.
//
// Each process counts for itself, because a common count would cost a write of
// the store for each request. Where several processes use the same entries,
// divide the limit by their number if it matters.
//
// # What is stored
//
// The vault stores each entry's State, and its token with the three extras that
// [Entry] names. Package records seals them, and hashes keys and owners: a dump
// of the store is useless without the keys. A renewal writes twice, for the
// lease and for the successor, and once more for each third of a lease that the
// server takes.
//
// # Clocks
//
// Processes reckon by the clock of the store's server, if it has one, so their
// own clocks may differ. Callers and Refreshers see times by the clock of their
// process. A token that has expired is never returned, whichever clock was set
// and however long a machine slept. A token that has expired when it arrives is
// stored, and logged as an error: the server gave it no lifetime, or was too
// slow.
//
// # Answers from memory
//
// While the store's watch is up, Token answers from memory without a call of
// the store. The vault learns of a deletion by another process when the store
// reports it, usually within a millisecond.
package vault
