package b2core

import (
	"context"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// ChooseSecondFactor chooses one of several providers: POST …/signin/2fa. B2Core
// then sends the code, if the provider is one by which it sends codes. An
// account with one provider needs no choice.
//
// Experimental: no public document shows the body, which
// SessionConfig.ProviderBody replaces.
//
// Errors: ErrSecondFactorRefused, without a request if no second factor is
// required or the provider cannot be one; ErrMisconfigured; ErrUnavailable;
// ErrUnusableAnswer.
func (s *SignIn) ChooseSecondFactor(ctx context.Context, provider string) error {
	const op = "choose second factor"
	if err := s.awaitsCode(op, provider); err != nil {
		return err
	}
	c := s.client
	uuid := s.uuid.Reveal()
	call := c.peer.Call(op, uuid)
	if err := s.post(ctx, call, c.config.SecondFactorPath, c.config.ProviderBody(provider, uuid), tokenapi.ErrSecondFactorRefused); err != nil {
		return err
	}
	s.SecondFactor.Provider = provider
	return nil
}

// codeRequest is the request of VerifySecondFactor.
type codeRequest struct {
	Code string `json:"code"`
	UUID string `json:"uuid"`
}

// VerifySecondFactor posts the user's one-time code to …/2fa/ and the provider.
// It may be called again after ErrSecondFactorRefused. If SecondFactor is still
// set afterwards, B2Core demands another code.
//
// Errors: ErrSecondFactorRefused, without a request if no second factor is
// required or its provider is not chosen; ErrMisconfigured; ErrUnavailable;
// ErrUnusableAnswer.
func (s *SignIn) VerifySecondFactor(ctx context.Context, code string) error {
	const op = "verify second factor"
	var provider string
	if s.SecondFactor != nil {
		provider = s.SecondFactor.Provider
	}
	if err := s.awaitsCode(op, provider); err != nil {
		return err
	}
	c := s.client
	uuid := s.uuid.Reveal()
	call := c.peer.Call(op, code, uuid)
	if err := s.post(ctx, call, c.config.codePath(provider), codeRequest{code, uuid}, tokenapi.ErrSecondFactorRefused); err != nil {
		return err
	}
	if err := s.advance(call); err != nil {
		return err
	}
	if s.SecondFactor != nil && s.SecondFactor.Provider == provider {
		return call.Refusal(tokenapi.ErrSecondFactorRefused, httpx.Problem{Description: "the server still requires this second factor"})
	}
	return nil
}

// awaitsCode returns an error unless the sign-in waits for a code of that
// provider.
func (s *SignIn) awaitsCode(op, provider string) error {
	var description string
	switch {
	case s.SecondFactor == nil:
		description = "no second factor is required"
	case provider == "":
		description = "no provider is chosen: call ChooseSecondFactor"
	case !validProvider(provider):
		description = "the provider cannot be a part of a path"
	default:
		return nil
	}
	return &tokenapi.Error{System: system, Op: op, Description: description, Err: tokenapi.ErrSecondFactorRefused}
}
