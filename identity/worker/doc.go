// Package worker makes an http.Client of a client and an account: it keeps an
// account signed in that needs no person, and shows its live token on every
// request.
//
//	w, err := worker.New(client, account, worker.Config{})
//	resp, err := w.Client().Get(url)
//
// # Clients and accounts
//
// The client is one of this module's, and the account what its Keeper method
// takes:
//
//	*identity.Client, *traderevolution.Client, *b2binpay.Client,
//	*b2core.SessionClient                                         tokenapi.Account
//	*tradevest.Client, *b2core.Client, *b2binpay.V3Client         tokenapi.Pace
//
// The Config of the last three names the account, so that only its pace is left.
//
// # One process or several
//
// The zero [Config] keeps the token in memory, sealed by a random key. With a
// Store and Keys, processes that share them sign in once and share the token;
// [vault.ParseKeys] reads the keys from a file. The entry has no end: the worker
// signs in again when its refresh token is refused, and puts the entry again
// when the store has lost it.
//
// A Worker is a vault with one entry. A program with several accounts in one
// vault, or with metrics of it, uses package vault itself.
package worker
