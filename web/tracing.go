package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web/internal/request"
)

// tracerName is the instrumentation scope of the site's spans.
const tracerName = "b2trader.identity.auth/web"

// traceRequests begins a span for each request of a browser. Browsers do not
// join or choose the site's traces: a traceparent of theirs becomes a link.
func traceRequests(provider trace.TracerProvider) func(http.Handler) http.Handler {
	if provider == nil {
		return func(next http.Handler) http.Handler { return next }
	}
	tracer := provider.Tracer(tracerName)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithNewRoot()}
			carrier := propagation.HeaderCarrier(r.Header)
			if remote := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier)); remote.IsValid() {
				options = append(options, trace.WithLinks(trace.Link{SpanContext: remote}))
			}
			ctx, span := tracer.Start(r.Context(), knownMethod(r), options...)
			defer func() { endRequest(span, r, request.Of(ctx), request.Status(w)) }()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// endRequest ends the span of a request with what is known after its answer.
func endRequest(span trace.Span, r *http.Request, info *request.Info, status int) {
	method := knownMethod(r)
	span.SetAttributes(
		attribute.String("http.request.method", method), attribute.Int("http.response.status_code", status),
		attribute.String("b2trader.request_id", info.ID))
	if info.Route != "" {
		_, path, _ := strings.Cut(info.Route, "/")
		route := "/" + path
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// knownMethod returns the method of r, or _OTHER for one that clients made up
// (OpenTelemetry's semantic conventions for HTTP spans).
func knownMethod(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "_OTHER"
}

// named tells the span of the request which route it took. The handler of all
// other paths is no route.
func named(pattern string, h http.Handler) http.Handler {
	if pattern == "/" {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request.Of(r.Context()).Route = pattern
		h.ServeHTTP(w, r)
	})
}

// TraceTransport returns a transport that makes a span of each request, below
// the span in the request's context, and sends the span on as traceparent (W3C
// Trace Context). Without a span in the context it only passes the request on.
// Set it as identity.Config.HTTP.Transport of [Config.Clients]. A span ends when
// the header of the answer has arrived. Its attributes are the method, the
// host, the path and the status, and never a query.
//
// A nil base is the default of [tokenapi.HTTP].
func TraceTransport(base http.RoundTripper) http.RoundTripper {
	return traceTransport{tokenapi.HTTP{Transport: base}.WithDefaults().Transport}
}

type traceTransport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t traceTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	parent := trace.SpanFromContext(r.Context())
	if !parent.SpanContext().IsValid() {
		return t.base.RoundTrip(r)
	}
	ctx, span := parent.TracerProvider().Tracer(tracerName).Start(r.Context(), knownMethod(r)+" "+r.URL.Host,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("http.request.method", knownMethod(r)), attribute.String("server.address", r.URL.Hostname()),
			attribute.String("url.path", request.Clip(r.URL.EscapedPath(), 200))))
	defer span.End()
	r = r.Clone(ctx)
	r.Header.Del("Tracestate") // it belongs to the browser's traceparent
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(r.Header))
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(attribute.String("error.type", errorType(err)))
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return resp, nil
}

// errorType names the kind of an error whose text may have anything.
func errorType(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "_OTHER"
}

// startedBy is the key of a renewal's context under which the span of the request
// that started the renewal stands.
type startedBy struct{}

// withStarter is the RenewalContext of a vault whose renewals are traced.
func withStarter(renewal, caller context.Context) context.Context {
	if span := trace.SpanContextFromContext(caller); span.IsValid() {
		return context.WithValue(renewal, startedBy{}, span)
	}
	return renewal
}

// tracedClient makes a span of each renewal. A renewal outlives the request that
// starts it, and serves others, so its span begins a trace, with a link to that
// request.
type tracedClient struct {
	*identity.Client
	tracer trace.Tracer
}

// Refresh implements vault.Refresher.
func (c tracedClient) Refresh(ctx context.Context, old *oauth2.Token) (token *oauth2.Token, err error) {
	ctx, end := c.start(ctx, "refresh token")
	defer func() { end(err) }()
	return c.Client.Refresh(ctx, old)
}

// ResumeBinary implements vault.Resumer.
func (c tracedClient) ResumeBinary(ctx context.Context, state []byte) (token *oauth2.Token, next []byte, err error) {
	ctx, end := c.start(ctx, "resume session")
	defer func() { end(err) }()
	return c.Client.ResumeBinary(ctx, state)
}

func (c tracedClient) start(ctx context.Context, name string) (context.Context, func(error)) {
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithAttributes(attribute.String("b2trader.client", c.ID()))}
	if starter, ok := ctx.Value(startedBy{}).(trace.SpanContext); ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: starter}))
	}
	ctx, span := c.tracer.Start(ctx, name, options...)
	return ctx, func(err error) {
		span.SetAttributes(attribute.String("b2trader.result", resultOf(err)))
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
