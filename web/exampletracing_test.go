package web_test

import (
	"context"
	"log"
	"net/http"
	"os"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// A site with OpenTelemetry traces of its requests, API calls, renewals and
// exchanges with the IdentityServer.
func ExampleTraceTransport() {
	// In production: otlptracehttp.New(ctx), of package
	// go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp. It reads
	// the variables OTEL_EXPORTER_OTLP_…
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter)) // OTEL_TRACES_SAMPLER chooses the share
	defer func() { _ = provider.Shutdown(context.Background()) }()

	client, err := identity.New(identity.Config{
		URL: os.Getenv("IDENTITY_URL"), ClientID: identity.ClientSPA,
		HTTP: tokenapi.HTTP{Transport: web.TraceTransport(nil), Observe: web.Observe},
	})
	if err != nil {
		log.Print(err)
		return
	}
	site, err := web.New(web.Config{
		Clients: []*identity.Client{client}, PublicURL: os.Getenv("PUBLIC_URL"), TracerProvider: provider,
	})
	if err != nil {
		log.Print(err)
		return
	}
	log.Print(http.ListenAndServe(os.Getenv("ADDR"), site))
}
