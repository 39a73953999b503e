// Package b2binpay obtains and refreshes the tokens of B2BINPAY's API, version 2, and verifies the callbacks that
// B2BINPAY posts to a merchant.
//
// # Use
//
// A [Client] signs an API account in, and renews its tokens. Its login and password are what the vendor also calls KEY
// and SECRET.
//
//	client, err := b2binpay.New(b2binpay.Config{URL: b2binpay.ProductionURL})
//	token, err := client.SignIn(ctx, login, password)
//	token, err = client.Refresh(ctx, token)
//
// Access tokens live for minutes, and a refresh token works once. So renew in one place and store the successor before it is
// used: package vault does that, with a [Client] or, for a program that holds the password, with a [Client.Keeper],
// which signs in again where a refresh token has expired, was lost or is refused.
//
//	keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: readPassword})
//	v, err := vault.New(vault.Config{Store: …, Keys: …, Refreshers: map[string]vault.Refresher{"b2binpay": keeper}})
//	err = v.Put(ctx, "b2binpay", vault.Entry{Owner: login, Client: "b2binpay", Token: keeper.FirstToken(), Until: …})
//	api := &http.Client{Transport: &vault.Transport{Vault: v, Key: "b2binpay"}}
//
// An access token is good for 30 to 40 requests, says the vendor; MaxUses tells the vault to renew before that.
//
// [Callbacks] verifies callbacks, one by one or as an http.Handler:
//
//	callbacks, err := b2binpay.NewCallbacks(b2binpay.CallbackConfig{Login: login, Password: tokenapi.Fixed(password)})
//	mux.Handle("/b2binpay/callback", callbacks.Handler(func(ctx context.Context, cb *b2binpay.Callback) error { … }))
//
// # Where the facts come from
//
//   - the article: that of the vendor's help desk on the tokens of the API, which begins "Accessing and integrating with the
//     B2BINPAY API": both requests, the answer's sample, the lifetimes, the number of requests;
//   - docs.b2binpay.com, the pages of version 2 ("authentication", "deposit methods"): meta.sign, the error codes, that
//     the previous refresh token can no longer be used, that the answer of a refresh has no meta;
//   - "Verifying B2BINPAY Callback Signatures" and "Understanding B2BINPAY API & No Transfer Callback", of the help desk.
//
// Version 2 is deprecated; the vendor announced its end for 1 December 2025. Version 3, where a client_id and
// client_secret get a token of an hour and there is neither refresh token nor signature, is not spoken here, and
// neither is version 1, with its GET /api/login.
//
// # How long tokens live
//
// The article says three minutes, its sample 15, the version 2 pages one. So what counts is access_expired_at, as the
// server means it: less meta.time, which is by the same clock; without meta, as in the answer of a refresh, less the
// Date header and the second that it may be late; without Date, by our own clock. Where that gives nothing, or a life that is over
// already, Config.DefaultLifetime is assumed: the tokens were issued a moment ago, and to
// refuse them would throw away a refresh token that cannot be had again. The refresh token's life is reckoned
// likewise; it is then the token's extra refresh_expiry.
//
// # What the signatures are worth
//
// meta.sign of a sign-in covers meta.time and the refresh token, not the access token, and its key is made of the login and password
// that were just sent. It finds an answer that belongs to another account or was altered by somebody who does not know the
// password; it does not replace TLS. A callback's signature covers four values: see [Callback].
//
// # What is not known
//
//   - what else a 400 or 401 of /token/ means. "IP not whitelisted" and "Invalid 2FA code" are in the vendor's list of
//     troubles without status or code; we do not guess from the text, which is in [tokenapi.Error] as Description;
//   - what happens after 30 to 40 requests;
//   - how many requests without a token are allowed: 15 a minute, or 70. Whether a 429 comes with Retry-After: it is
//     obeyed if it does;
//   - what a second step would look like: is_2fa_confirmed is reported, and "2FA is unavailable for API users";
//   - for how long, how often and with which Content-Type callbacks are sent, and how those of payouts are signed:
//     only those of deposits are accepted;
//   - whether the API is still there.
//
// # Deviations
//
// From the documented requests, on the wire:
//
//   - the JSON has no white space, and spells <, > and & as \u003c, \u003e and \u0026;
//   - Content-Type: application/vnd.api+json is sent with the refresh too, where the article leaves headers out;
//   - Accept (the same media type), User-Agent and Accept-Encoding are this client's.
//
// # Errors
//
// Every error of a Client is a [*tokenapi.Error] and wraps one of the sentinels of package tokenapi:
//
//	                     SignIn              Refresh
//	2006                 ErrBadCredentials   ErrGrantRefused
//	2007                 by the status       ErrGrantRefused
//	throttled            ErrUnavailable      ErrUnavailable
//	400, 401             ErrBadCredentials   ErrGrantRefused
//	403, 404, 405        ErrMisconfigured    ErrMisconfigured
//	408, 429, 5xx        ErrUnavailable      ErrUnavailable
//	anything else        ErrUnusableAnswer   ErrUnusableAnswer
//
// A code comes before the status. A page of HTML with 400 or 401 is a gateway's: ErrUnavailable.
//
// Those of Callbacks wrap one of this package's. Neither an error nor any printed value shows a password or token.
// *oauth2.Token is not this package's: do not print it.
package b2binpay
