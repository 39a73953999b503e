package session

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// UserParts is the number of lists that the users are spread over, so that one
// page of users costs a part of them.
const UserParts = 64

// Index finds users and sessions: users by their e-mail and in parts of all
// users, sessions by the session at the IdentityServer. A store lists by owner
// only, so each way to find something has records of its own, sealed like the
// sessions. They are not deleted but expire with the sessions.
type Index struct {
	users  *records.Kind[KnownUser]
	emails *records.Kind[string]   // the user's owner, by e-mail
	links  *records.Kind[struct{}] // one for each session, listed by the session at the IdentityServer
	spent  *records.Kind[struct{}] // logout tokens that were carried out
	now    func() time.Time        // by the store's clock
	keys   []records.Key
}

const (
	linkPrefix  = "link:"
	emailPrefix = "mail:"
)

// KnownUser is a user who signed in not longer ago than a session lasts.
type KnownUser struct {
	Issuer   string    `json:"i"`
	Subject  string    `json:"s"`
	Email    string    `json:"e,omitempty"`
	Nickname string    `json:"n,omitempty"`
	SignedIn time.Time `json:"t"`
}

// Owner returns the owner of the user's sessions.
func (k KnownUser) Owner() string { return k.Issuer + " " + k.Subject }

// NewIndex returns an Index. The keys make the hashes of e-mail addresses, which
// could be guessed otherwise. They are those of the cache.
func NewIndex(c *records.Cache, keys []records.Key) *Index {
	users := records.JSON[KnownUser]()
	users.ZeroIfUnreadable = true // sealed with a key that was removed: the user is not known
	return &Index{
		users: records.NewUncachedKind(c, "user:", users),
		emails: records.NewUncachedKind(c, emailPrefix, records.Codec[string]{
			Encode:           func(owner string) ([]byte, error) { return []byte(owner), nil },
			Decode:           func(b []byte) (string, error) { return string(b), nil },
			ZeroIfUnreadable: true,
		}),
		links: records.NewUncachedKind(c, "links:", records.Codec[struct{}]{}),
		spent: records.NewUncachedKind(c, "spent:", records.Codec[struct{}]{}),
		now:   c.Now,
		keys:  keys,
	}
}

// Remember makes the session with an ID, which ends at until, and its user
// findable.
//
// Errors: *[StoreError].
func (x *Index) Remember(ctx context.Context, id string, u User, until time.Time) error {
	ctx = context.WithoutCancel(ctx)
	err := upsert(ctx, x.users, records.Record[KnownUser]{
		ID: x.users.KeyedIDs(u.Owner)[0], Owner: x.partOf(u.Owner), Expires: until,
		Value: KnownUser{u.Issuer, u.Subject, u.Email, u.Nickname, u.SignedIn},
	})
	if err == nil && u.Email != "" {
		err = upsert(ctx, x.emails, records.Record[string]{ID: x.emailIDs(u.Issuer, u.Email)[0], Expires: until, Value: u.Owner})
	}
	if err == nil && u.IdentityID != "" {
		link := records.ID(linkPrefix + string(recordID(id)))
		_, err = x.links.Put(ctx, records.Record[struct{}]{ID: link, Owner: x.links.Owner(linksOf(u.Issuer, u.IdentityID)), Expires: until})
	}
	return storeError(err)
}

// Linked returns the IDs of the sessions that came from a session at the
// IdentityServer, ended ones included.
//
// Errors: *[StoreError].
func (x *Index) Linked(ctx context.Context, issuer, identityID string) ([]string, error) {
	links, err := x.links.IDs(ctx, x.links.Owners(linksOf(issuer, identityID))...)
	if err != nil {
		return nil, storeError(err)
	}
	ids := make([]string, len(links))
	for i, link := range links {
		ids[i] = strings.TrimPrefix(string(link), linkPrefix+prefix)
	}
	return ids, nil
}

// ByEmail returns the user of an issuer whose latest sign-in was with an e-mail
// address, and whether there is one.
//
// Errors: *[StoreError].
func (x *Index) ByEmail(ctx context.Context, issuer, email string) (KnownUser, bool, error) {
	for _, id := range x.emailIDs(issuer, email) {
		r, err := x.emails.Get(ctx, id)
		if records.Absent(err) {
			continue
		}
		if err != nil {
			return KnownUser{}, false, storeError(err)
		}
		if r.Value != "" {
			return x.ByOwner(ctx, r.Value)
		}
	}
	return KnownUser{}, false, nil
}

// ByOwner returns the user with an owner, and whether the user is known.
//
// Errors: *[StoreError].
func (x *Index) ByOwner(ctx context.Context, owner string) (KnownUser, bool, error) {
	for _, id := range x.users.KeyedIDs(owner) {
		r, err := x.users.Get(ctx, id)
		switch {
		case records.Absent(err):
			continue
		case err != nil:
			return KnownUser{}, false, storeError(err)
		case r.Value.Issuer != "":
			return r.Value, true, nil
		}
	}
	return KnownUser{}, false, nil
}

// Users returns the users of a part and, while they are few, of the parts after
// it. It returns the part to continue with, which is UserParts after the last.
//
// Errors: *[StoreError].
func (x *Index) Users(ctx context.Context, part int) (users []KnownUser, next int, err error) {
	const few = 25
	for ; part < UserParts && len(users) < few; part++ {
		list, err := x.users.List(ctx, usersOf(part))
		if err != nil {
			return nil, 0, storeError(err)
		}
		seen := make(map[string]int) // the index in users: a user has a record for each key that was first
		for _, r := range list {
			at, twice := seen[r.Value.Owner()]
			switch {
			case r.Value.Issuer == "":
			case !twice:
				seen[r.Value.Owner()] = len(users)
				users = append(users, r.Value)
			case r.Value.SignedIn.After(users[at].SignedIn):
				users[at] = r.Value
			}
		}
	}
	return users, part, nil
}

// Spend records that a logout token was carried out, for the given time. It is
// no error if another process carried out the same token at the same time.
//
// Errors: *[StoreError].
func (x *Index) Spend(ctx context.Context, issuer, tokenID string, life time.Duration) error {
	_, err := x.spent.Put(ctx, records.Record[struct{}]{ID: x.spentID(issuer, tokenID), Expires: x.now().Add(life)})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return storeError(err)
}

// Spent reports whether a process has carried out a logout token.
//
// Errors: *[StoreError].
func (x *Index) Spent(ctx context.Context, issuer, tokenID string) (bool, error) {
	_, err := x.spent.Get(ctx, x.spentID(issuer, tokenID))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, storeError(err)
}

func (x *Index) spentID(issuer, tokenID string) records.ID { return x.spent.ID(issuer + " " + tokenID) }

func linksOf(issuer, identityID string) string { return issuer + " " + identityID }

// partOf returns the part of a user. It is the same whatever the keys are, so
// that the records of a user are in one part: 6 bits of a hash without a key.
func (x *Index) partOf(owner string) records.Owner {
	hash := strings.TrimPrefix(string(x.users.ID(owner)), "user:")
	return usersOf(int(hash[0]) % UserParts)
}

// emailIDs returns the IDs that the record of an address may have: one for each
// key. The first is where it is written.
func (x *Index) emailIDs(issuer, email string) []records.ID {
	ids := make([]records.ID, len(x.keys))
	for i, k := range x.keys {
		mac := hmac.New(sha256.New, k.Secret)
		mac.Write([]byte("e-mail " + issuer + " " + strings.ToLower(strings.TrimSpace(email))))
		ids[i] = records.ID(emailPrefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	}
	return ids
}

func usersOf(part int) records.Owner { return records.Owner("users:" + strconv.Itoa(part)) }

// upsert writes a record, which never expires earlier than before. If others
// are quicker each time, the same user signs in many times at once, and their
// records are as good.
func upsert[T any](ctx context.Context, kind *records.Kind[T], r records.Record[T]) error {
	_, err := kind.Update(ctx, r.ID, func(old *records.Record[T]) (records.Record[T], error) {
		next := r
		if old != nil && old.Expires.After(r.Expires) {
			next.Expires = old.Expires
		}
		return next, nil
	})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}
