package web

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"b2trader.identity.auth/identity/store/mirror"
	"b2trader.identity.auth/web/internal/answer"
)

// Of returns the live sessions of an owner, the latest sign-in first. It costs
// what the owner has, not what the store has.
//
// Errors: the store's.
func (s *sessionStore) Of(ctx context.Context, owner string) ([]*storedSession, error) {
	list, err := s.mirror.List(ctx, ownerOf(owner))
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, s.over)
	slices.SortFunc(list, func(a, b *storedSession) int {
		return cmp.Or(b.Value.user.SignedIn.Compare(a.Value.user.SignedIn), cmp.Compare(a.Key, b.Key))
	})
	return list, nil
}

// At returns the live session at place, or nil if there is none.
//
// Errors: the store's.
func (s *sessionStore) At(ctx context.Context, place string) (*storedSession, error) {
	c, err := s.mirror.Get(ctx, place)
	switch {
	case mirror.Gone(err), errors.Is(err, errUnreadable), errors.Is(err, errCodec):
		return nil, nil //nolint:nilnil // none
	case err != nil:
		return nil, err
	case s.over(c):
		return nil, nil //nolint:nilnil // none
	}
	return c, nil
}

// endSessions ends sessions in every process: first their cookies, then their
// tokens and the streams that live by them, and then, not waiting long, what
// the IdentityServer knows of them.
//
// Errors: the store's, after which some may still be there, with their tokens.
func (s *Server) endSessions(ctx context.Context, list []*storedSession, what remoteEnd) error {
	ctx = context.WithoutCancel(ctx)
	var held []holding
	var failed error
	for _, c := range list {
		if err := s.sessions.store.mirror.Delete(ctx, c.Key); err != nil {
			failed = answer.StoreUnavailable(err)
			break
		}
		held = append(held, c.Value.user.holding())
	}
	s.endTokens(ctx, what, held...)
	return failed
}

// keepToLimit ends the user's oldest sessions if there are more than
// Config.MaxSessionsPerUser. The one at place is the newest, whatever the clocks say.
func (s *Server) keepToLimit(ctx context.Context, u user, place string) error {
	if s.config.MaxSessionsPerUser == 0 {
		return nil
	}
	list, err := s.sessions.store.Of(ctx, u.Owner)
	if err != nil {
		return answer.StoreUnavailable(err)
	}
	others := slices.DeleteFunc(list, func(c *storedSession) bool { return c.Key == place })
	if len(others) < s.config.MaxSessionsPerUser {
		return nil
	}
	oldest := others[s.config.MaxSessionsPerUser-1:]
	s.events.record(ctx, eventSessionLimit, "user", u.Owner, "sessions", len(oldest))
	return s.endSessions(ctx, oldest, endOne)
}
