package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/vault"
)

// The kinds of records that sessions are found by. They are never deleted but expire with the sessions.
const (
	linkPrefix  = "link:"  // of one session, listed by the session at the IdentityServer that it came from
	userPrefix  = "user:"  // of one user, listed by a part of all users
	mailPrefix  = "mail:"  // of one e-mail address: whose it is
	tokenPrefix = "spent:" // of one logout token that was obeyed
)

// userParts is how many lists the users are spread over, so that a page of them costs a part of them.
const userParts = 64

// indexWait bounds what one operation of the index may take.
const indexWait = 5 * time.Second

// sessionIndex finds sessions by what others know of them: an administrator
// the e-mail, the IdentityServer its own session's id. A store lists by owner
// only, so each way to find something is a record of its own, sealed like the
// sessions. E-mail addresses can be guessed, so their hashes are keyed.
type sessionIndex struct {
	store  store.Store
	sealer *vault.Sealer
	keys   []vault.Key
}

// knownUser is a user who signed in not longer ago than a session lasts.
type knownUser struct {
	Issuer   string    `json:"i"`
	Subject  string    `json:"s"`
	Email    string    `json:"e,omitempty"`
	Nickname string    `json:"n,omitempty"`
	SignedIn time.Time `json:"t"`
}

func (k knownUser) owner() string { return k.Issuer + " " + k.Subject }

// Remember makes the session at place, which ends at until, and its user findable.
//
// Errors: the store's.
func (x *sessionIndex) Remember(ctx context.Context, place string, u user, until time.Time) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), indexWait)
	defer cancel()
	raw, err := json.Marshal(knownUser{u.Issuer, u.Subject, u.Email, u.Nickname, u.SignedIn})
	if err != nil {
		return fmt.Errorf("encode the user: %w", err)
	}
	name := hashed(u.Owner)
	if err := x.upsert(ctx, userPrefix+name, usersOf(int(name[0])%userParts), raw, until); err != nil {
		return err
	}
	if u.Email != "" {
		if err := x.upsert(ctx, x.mailKeys(u.Issuer, u.Email)[0], "", []byte(u.Owner), until); err != nil {
			return err
		}
	}
	if u.IdentityID == "" {
		return nil
	}
	_, err = x.store.Put(ctx, store.Record{Key: linkPrefix + place, Owner: linksOf(u.Issuer, u.IdentityID), Expires: until})
	return err
}

// Linked returns the places of the sessions that came from a session at the IdentityServer, ended ones included.
//
// Errors: the store's.
func (x *sessionIndex) Linked(ctx context.Context, issuer, id string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	records, err := x.store.List(ctx, linksOf(issuer, id))
	if err != nil {
		return nil, err
	}
	places := make([]string, len(records))
	for i, r := range records {
		places[i] = strings.TrimPrefix(r.Key, linkPrefix)
	}
	return places, nil
}

// ByMail returns the user of an issuer who last signed in with an e-mail address.
//
// Errors: the store's.
func (x *sessionIndex) ByMail(ctx context.Context, issuer, email string) (knownUser, bool, error) {
	for _, key := range x.mailKeys(issuer, email) {
		owner, ok, err := x.read(ctx, key)
		if err != nil {
			return knownUser{}, false, err
		}
		if ok {
			return x.ByOwner(ctx, string(owner))
		}
	}
	return knownUser{}, false, nil
}

// ByOwner returns what is known of a user.
//
// Errors: the store's.
func (x *sessionIndex) ByOwner(ctx context.Context, owner string) (knownUser, bool, error) {
	raw, ok, err := x.read(ctx, userPrefix+hashed(owner))
	var k knownUser
	return k, ok && json.Unmarshal(raw, &k) == nil, err
}

// Users returns those of one part and, while they are few, of the next, and the part to go on with; it is
// userParts after the last.
//
// Errors: the store's.
func (x *sessionIndex) Users(ctx context.Context, part int) ([]knownUser, int, error) {
	const few = 25
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	var users []knownUser
	for part < userParts && len(users) < few {
		records, err := x.store.List(ctx, usersOf(part))
		if err != nil {
			return nil, 0, err
		}
		for _, r := range records {
			var k knownUser
			if raw, err := x.sealer.Open(r.Key, r.Value); err == nil && json.Unmarshal(raw, &k) == nil {
				users = append(users, k)
			}
		}
		part++
	}
	return users, part, nil
}

// Spend notes that a logout token was obeyed.
//
// Errors: the store's.
func (x *sessionIndex) Spend(ctx context.Context, token *identity.LogoutToken) error {
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	_, err := x.store.Put(ctx, store.Record{Key: spentKey(token), Expires: token.Expiry})
	if errors.Is(err, store.ErrConflict) { // somebody was given it at the same time, and obeyed as well
		return nil
	}
	return err
}

// Spent reports whether a logout token was obeyed before, by whatever process.
//
// Errors: the store's.
func (x *sessionIndex) Spent(ctx context.Context, token *identity.LogoutToken) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	_, err := x.store.Get(ctx, spentKey(token))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func spentKey(token *identity.LogoutToken) string {
	return tokenPrefix + hashed(token.Issuer+" "+token.ID)
}

func (x *sessionIndex) read(ctx context.Context, key string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, indexWait)
	defer cancel()
	r, err := x.store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	raw, err := x.sealer.Open(key, r.Value)
	return raw, err == nil, nil // sealed with a key that is gone: nothing is known
}

// upsert writes a record, and keeps it for as long as anybody wanted it to be kept. If others are quicker each time,
// then the same user signs in many times at once, and what they write is as good.
func (x *sessionIndex) upsert(ctx context.Context, key, owner string, value []byte, until time.Time) error {
	for try := 1; ; try++ {
		r := store.Record{Key: key, Owner: owner, Value: x.sealer.Seal(key, value), Expires: until}
		old, err := x.store.Get(ctx, key)
		switch {
		case err == nil:
			r.Version = old.Version
			if old.Expires.After(until) {
				r.Expires = old.Expires
			}
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		if _, err = x.store.Put(ctx, r); !errors.Is(err, store.ErrConflict) {
			return err
		}
		if try == swapTries {
			return nil
		}
		time.Sleep(time.Duration(try) * time.Millisecond) // a store may be told of the newest a moment later
	}
}

// mailKeys are where the record of an address may be, by each of the keys, the first being where it is written.
func (x *sessionIndex) mailKeys(issuer, email string) []string {
	names := make([]string, len(x.keys))
	for i, k := range x.keys {
		mac := hmac.New(sha256.New, k.Secret)
		mac.Write([]byte("e-mail " + issuer + " " + strings.ToLower(strings.TrimSpace(email))))
		names[i] = mailPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	return names
}

func usersOf(part int) string { return "users:" + strconv.Itoa(part) }

func linksOf(issuer, id string) string { return "links:" + hashed(issuer+" "+id) }
