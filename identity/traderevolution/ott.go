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

// OTT is what the server says of a one-time token. The vendor's page says two things of what that is: the login of the user
// whose token it is, or a new pair of tokens. A valid one has either, or both.
type OTT struct {
	// Valid says that the server vouches for the token. The other fields but StatusCode, Code and Description are empty
	// without it.
	Valid bool

	// Login is whose token it was. Empty if the server does not tell.
	Login string

	// Token is the pair of tokens, as SignIn has it. Nil if the server gives none.
	Token *oauth2.Token `json:"-"`

	// StatusCode is the HTTP answer's. 0: the token was empty, and the server was not asked.
	StatusCode int

	// Code and Description are the server's own, where it refuses the token by an error.
	Code, Description string

	raw tokenapi.Secret
}

// Raw returns the body of the answer, tokens and all, for who knows more of an installation than this package.
func (o *OTT) Raw() []byte { return []byte(o.raw.Reveal()) }

// Format prints whether the token is valid, and what the server said if not; neither login nor tokens.
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

// ottAnswer has every member that an answer may have. The flag valid is the page's "will indicate", isExpired that of a
// sibling of the endpoint, /auth/pfixtoken/verify, which answers it beside the login.
type ottAnswer struct {
	tokensAnswer
	Login     string `json:"login"`
	Valid     *flag  `json:"valid"`
	IsValid   *flag  `json:"isValid"`
	Expired   *flag  `json:"expired"`
	IsExpired *flag  `json:"isExpired"`
}

// A flag is a boolean, which may come as text.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(raw []byte) error {
	b, err := strconv.ParseBool(strings.Trim(string(raw), `"`))
	*f = flag(b)
	return err
}

// is reports whether a flag is there and says so.
func is(f *flag, says bool) bool { return f != nil && bool(*f) == says }

// errNotValid stands in verifyVerdict for what is no error.
var errNotValid = errors.New("the one-time token is not valid")

// verifyVerdict: a 4xx is of the token, but for those that speak of the address or of the time.
var verifyVerdict = httpx.Verdict{
	Codes: map[string]error{
		codeNoAccess: tokenapi.ErrMisconfigured,
		codeTooMany:  tokenapi.ErrUnavailable,
	},
	Status: notValid(),
	Parse:  parseProblem,
}

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

// VerifyOTT posts a one-time token, which the server made for a link to another site, to /external/token/verify (vendor's
// page, "OTT verification"), and returns whose it is. A token that is unknown, expired or used is no error: the OTT is not valid.
// Nor is it one if the answer is a 200 that holds an error's code, but for those that are not about the token. An empty token is
// not valid either, and is not sent. Look at Valid before anything else.
//
// The request is never repeated, for the token works once. After an error with Sent set it may be spent, or it may not, also
// after ErrUnavailable with a status: the user must follow the link anew.
//
// Errors: ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer. Beside the last, and beside any if the answer was a 2xx, the OTT is
// returned, not valid, with the answer in it, unless that could not be read. Any other error comes without an OTT.
func (c *Client) VerifyOTT(ctx context.Context, token string) (*OTT, error) {
	if token == "" {
		return &OTT{}, nil
	}
	call := c.peer.Call("verify one-time token", token)
	err := call.Send(ctx, httpx.Request{
		Method: http.MethodPost, URL: c.peer.URL(c.config.VerifyPath), Body: verifyRequest{token},
	})
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

// accept reads an answer that says yes, be it that the token is not valid. A flag that says no counts more than a login.
func (c *Client) accept(o *OTT, call *httpx.Call, token string) error {
	var answer ottAnswer
	if err := call.Decode(&answer, "one of a verification"); err != nil {
		return err
	}
	tokens := answer.AccessToken != ""
	switch {
	case is(answer.IsExpired, true), is(answer.Expired, true), is(answer.Valid, false), is(answer.IsValid, false):
		return nil
	case errorCode(call.Last.Body) != "": // an error, whatever its status
		v := verifyVerdict
		v.Status = map[int]error{call.Last.StatusCode: errNotValid}
		return o.refuse(call.Refused(v))
	case answer.Login == "" && !tokens:
		return call.Unusable("it says neither whose the token is nor that it is not valid")
	case httpx.Clean(answer.Login, token) != answer.Login, strings.TrimSpace(answer.Login) != answer.Login: // not to be made fit: it would be another's
		return call.Unusable("what it calls a login is none")
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

// refuse takes over what the server says of a token that is not valid.
func (o *OTT) refuse(err error) error {
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || !errors.Is(e, errNotValid) {
		return err
	}
	o.Code, o.Description = e.Code, e.Description
	return nil
}
