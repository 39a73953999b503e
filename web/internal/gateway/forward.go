package gateway

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"sync"
)

// forward sends the call to the API and its answer to the browser. It does what
// httputil.ReverseProxy does, for less than half of the cost: that copies the
// request three times, and headers that this site then drops.
//
// Informational answers (1xx) and trailers are not passed on: no policy for
// headers would see them. An answer that breaks off cuts the browser's
// connection, because a part must not look complete.
func (c *call) forward() {
	if c.body != nil {
		defer func() { _ = c.body.Close() }() // the transport may want to read on
	}
	resp, err := c.exchange(c.request())
	if err != nil {
		c.failed(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	dropNamed(resp.Header, resp.Header["Connection"])
	if err := c.adopt(resp); err != nil {
		c.failed(err)
		return
	}
	c.leaveToServer(resp)
	maps.Copy(c.out.Header(), resp.Header)
	c.out.keepServerDeadline(c.ctx, c.began, resp.ContentLength)
	c.out.WriteHeader(resp.StatusCode)
	if err := c.copyBody(resp); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// copyBody passes the body of an answer on. If the body is a stream, or could be
// one because its length is unknown, the browser gets each part at once.
func (c *call) copyBody(resp *http.Response) error {
	if resp.Body == http.NoBody {
		return nil
	}
	buffer := bufferPool.Get().(*[bufferSize]byte)
	defer bufferPool.Put(buffer)
	atOnce := resp.ContentLength < 0 || c.streaming.Load()
	for {
		if atOnce {
			_ = c.out.FlushError() // the next write fails, too
		}
		n, err := resp.Body.Read(buffer[:])
		if n > 0 {
			if _, err := c.out.Write(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			if context.Cause(c.ctx) == nil {
				c.logCut("the API breaks off")
			}
			return err
		}
	}
}

const bufferSize = 32 << 10

// bufferPool has the buffers of the answers of all APIs.
var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}
