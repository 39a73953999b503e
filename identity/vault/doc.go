// Package vault keeps tokens alive, once and for every process that shares a store.
//
// # Use
//
// Put a token under a key, such as a session's, and ask for it with Token whenever one is needed. A renewal starts when
// two thirds of the token's life have passed; until it expires nobody waits for it. Once it has expired, every
// caller waits for the same renewal, each as long as its own context allows, and the renewal outlives them all.
// A [Transport] does the asking for an http.Client.
//
// # One renewal, however many processes
//
// On B2Trader an access token lives 30 seconds and a refresh token works once, without grace. So a renewal reads the record
// from the store, takes a lease on it by compare-and-swap, sends the refresh token, and stores the successor before anybody
// uses it. The lease is renewed while the server takes its time; the version of the record fences it, so that a process
// that was paused overwrites nothing that is newer.
//
// # What failed decides what happens
//
//   - The request was surely not sent: it is sent again, a moment later.
//   - It may have been sent, and no answer came: the record is read again, then the server asked once more.
//   - The server is out of order, or asks to wait (5xx, 429): the entry is kept. The old token serves while it lives; after that
//     Token returns an [UnavailableError], and renewals are tried again with growing pauses.
//   - The server does not know the client: the same, and an error in the log.
//   - The refresh token is refused, and the record did not change meanwhile: the entry's State, if it has one, gets new tokens
//     without a password. Only if that is refused too has the entry ended; it is remembered that it has, and no
//     more calls are made.
//   - The successor cannot be stored: that is tried until it can; nobody gets it before.
//   - The store is away: Token returns an UnavailableError. No entry ends by it, and nothing needs a restart.
//   - The entry was deleted meanwhile: what the renewal yields is revoked.
//
// # A budget of uses
//
// Some vendors want an access token to be used a few dozen times and no more. If a [Refresher] has such a bound, Token and
// Renew return each access token that often. From two thirds of the bound on a renewal is due; past it, callers wait for the
// successor as they do after expiry. If none comes, because renewals fail or take longer than Config.MaxWait, they get
// the token after all while it lives: such bounds are soft, and an outage of the token endpoint shall not become theirs.
//
// Each process counts for itself, for a common count would cost a write of the store with every request. Where
// several processes use the same entries, and the bound matters, divide it by their number.
//
// # What is stored
//
// Of each entry: its token with three of the token's extras, which [Entry] names, and its state. Records are sealed with
// AES-256-GCM, bound to their place, under hashed keys and hashed owners: a dump of the store is of no use without the
// keys. One renewal writes twice, for the lease and for the successor, and once more for each third of a lease that the
// server takes.
//
// # Answers from memory
//
// While the store's watch is up, what this process holds is known to be current, and Token asks nobody. What another process
// deletes it hears of when the store reports it, usually within a millisecond.
package vault
