package pgstore

import (
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"b2trader.identity.auth/identity/store/internal/storeurl"
)

// private reports whether no connection that config allows, also as a fallback,
// can be read by strangers.
func private(config *pgxpool.Config) bool {
	first := config.ConnConfig
	all := storeurl.Private(first.Host, first.TLSConfig)
	for _, fallback := range first.Fallbacks {
		all = all && storeurl.Private(fallback.Host, fallback.TLSConfig)
	}
	return all
}

// choosesTLS reports whether a URL, or the environment, has an sslmode.
func choosesTLS(text string) bool {
	return strings.Contains(text, "sslmode") || strings.Contains(text, "ssl=") || os.Getenv("PGSSLMODE") != ""
}

// verifying adds sslmode=verify-full to a URL that has no sslmode.
func verifying(text string) string {
	const setting = "sslmode=verify-full"
	switch before, _, isURL := strings.Cut(text, "://"); {
	case !isURL || strings.ContainsAny(before, " ="): // KEYWORD=VALUE pairs
		return text + " " + setting
	case strings.Contains(text, "?"):
		return text + "&" + setting
	}
	return text + "?" + setting
}
