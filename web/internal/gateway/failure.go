package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
)

// failed answers a call whose API did not answer.
func (c *call) failed(err error) {
	asked := c.asked
	switch cause := context.Cause(c.ctx); {
	case errors.Is(cause, errSessionOver):
		err = answer.ErrNoSession
		asked = asked.WithContext(context.WithoutCancel(asked.Context())) // slowBody.cut has canceled it
	case errors.Is(cause, errNotAdmitted):
		err = notAdmitted()
		asked = asked.WithContext(context.WithoutCancel(asked.Context()))
	case errors.Is(cause, errSilent):
		err = &answer.Error{Status: http.StatusGatewayTimeout, Code: "upstream_timeout", Err: errSilent}
	case c.body != nil && c.body.late.Load(): // the transport may report that net/http has canceled the request
		err = tooSlow(err)
	default:
		err = upstreamError(c.withoutToken(err))
	}
	c.api.config.Answers.Fail(&c.out, asked, err)
}

// upstreamError returns err if it explains itself, else an error that says that
// the API failed or timed out.
func upstreamError(err error) error {
	_, known := errors.AsType[*answer.Error](err)
	if _, noToken := errors.AsType[*vault.UnavailableError](err); known || noToken || errors.Is(err, answer.ErrNoSession) {
		return err
	}
	e := &answer.Error{Status: http.StatusBadGateway, Code: "upstream_unavailable", Err: fmt.Errorf("API: %w", err)}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		e.Status, e.Code = http.StatusGatewayTimeout, "upstream_timeout"
	}
	return e
}
