package traderevolution

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// OTT is the server's answer about a one-time token. The vendor's page
// contradicts itself: the answer holds the login of the token's user, or a new
// pair of tokens. A valid OTT has either, or both.
type OTT struct {
	// Valid says that the server accepted the token. If false, Login and Token
	// are empty.
	Valid bool

	// Login is the login of the token's user. Empty if the answer has none.
	Login string

	// Token is a token like that of SignIn. Nil if the answer has none.
	Token *oauth2.Token `json:"-"`

	// StatusCode is the HTTP answer's. 0: the token was empty, and no request was
	// sent.
	StatusCode int

	// Code and Description are the server's, if it refuses the token by an error.
	Code, Description string

	raw tokenapi.Secret
}

// Raw returns the body of the answer, with its tokens, for members that this
// package does not know.
func (o *OTT) Raw() []byte { return []byte(o.raw.Reveal()) }

// Format prints whether the token is valid, else the status and the code. It
// prints neither the login nor a token.
func (o OTT) Format(f fmt.State, _ rune) {
	if o.Valid {
		_, _ = fmt.Fprintf(f, "%s.OTT(valid)", system)
		return
	}
	_, _ = fmt.Fprintf(f, "%s.OTT(not valid: HTTP %d %s)", system, o.StatusCode, o.Code)
}

type verifyRequest struct {
	Token string `json:"token"`
}

// ottAnswer has every member that an answer may have. valid is for the page's
// "will indicate"; /auth/pfixtoken/verify, a sibling of the endpoint, answers
// isExpired beside the login.
type ottAnswer struct {
	tokensAnswer
	Login     string `json:"login"`
	Valid     *flag  `json:"valid"`
	IsValid   *flag  `json:"isValid"`
	Expired   *flag  `json:"expired"`
	IsExpired *flag  `json:"isExpired"`
}

// A flag is a boolean, or a string that spells one.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(raw []byte) error {
	b, err := strconv.ParseBool(strings.Trim(string(raw), `"`))
	*f = flag(b)
	return err
}

// is reports whether f is present and equals says.
func is(f *flag, says bool) bool { return f != nil && bool(*f) == says }

// errNotValid marks refusals in verifyVerdict that VerifyOTT returns as an OTT.
var errNotValid = errors.New("the one-time token is not valid")

// verifyVerdict maps refusals of a verification. Every 4xx is about the token,
// except those about the path or the rate.
var verifyVerdict = verdict(nil, notValid())

func notValid() map[int]error {
	verdict := make(map[int]error)
	for status := 400; status < 500; status++ {
		switch status {
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusTooManyRequests:
		default:
			verdict[status] = errNotValid
		}
	}
	return verdict
}

// VerifyOTT posts a one-time token, which the server made for a link to another
// site, to /external/token/verify (vendor's page, "OTT verification"), and
// returns whose it is. A token that is unknown, expired or used is no error: the
// OTT is not valid. The same holds for a 200 with an error's code about the
// token, and for an empty token, which is not sent. Check Valid first.
//
// The token works once, so the request is never repeated. After an error with
// Sent set, even ErrUnavailable with a status, the token may be spent: the user
// must follow the link again.
//
// Errors: ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer. With
// ErrUnusableAnswer, and with any error after a 2xx, VerifyOTT also returns an
// OTT that is not valid and holds the answer, unless the answer could not be
// read.
func (c *Client) VerifyOTT(ctx context.Context, token string) (*OTT, error) {
	if token == "" {
		return &OTT{}, nil
	}
	call := c.peer.Call("verify one-time token", token)
	err := call.Send(ctx, httpx.Request{URL: c.peer.URL(c.config.VerifyPath), Body: verifyRequest{token}})
	if err != nil {
		return nil, err
	}
	ott := &OTT{StatusCode: call.Last.StatusCode, raw: tokenapi.NewSecret(string(call.Last.Body))}
	if call.OK() {
		err = c.accept(ott, call, token)
	} else {
		err = ott.refuse(refused(call, verifyVerdict))
	}
	if err != nil && !call.OK() && !errors.Is(err, tokenapi.ErrUnusableAnswer) {
		return nil, err
	}
	return ott, err
}

// accept reads a 2xx. A flag that refuses the token counts more than a login.
func (c *Client) accept(o *OTT, call *httpx.Call, token string) error {
	answer := ottAnswer{tokensAnswer: unknownLifetimes}
	if err := call.Decode(&answer, "an answer of a verification"); err != nil {
		return err
	}
	tokens := answer.AccessToken != ""
	switch {
	case is(answer.IsExpired, true), is(answer.Expired, true), is(answer.Valid, false), is(answer.IsValid, false):
		return nil
	case errorCode(call.Last.Body) != "": // a refusal with a 2xx
		v := verifyVerdict
		v.Status = map[int]error{call.Last.StatusCode: errNotValid}
		return o.refuse(call.Refused(v))
	case answer.Login == "" && !tokens:
		return call.Unusable("the answer names no login and does not refuse the token")
	case httpx.Redact(answer.Login, token) != answer.Login, strings.TrimSpace(answer.Login) != answer.Login: // a cleaned login could be another user's
		return call.Unusable("the login holds spaces around it, unprintable characters or the token")
	}
	if tokens {
		var err error
		if o.Token, err = c.token(call, answer.tokensAnswer); err != nil {
			return err
		}
	}
	o.Valid, o.Login = true, answer.Login
	return nil
}

// refuse copies the server's refusal of the token into o. It returns any other
// error.
func (o *OTT) refuse(err error) error {
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || !errors.Is(e, errNotValid) {
		return err
	}
	o.Code, o.Description = e.Code, e.Description
	return nil
}
