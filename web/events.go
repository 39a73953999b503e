package web

import (
	"context"
	"log/slog"
)

// event names one kind of line in the log. The constants below are the rows of
// the table events.
type event int

const (
	eventSignedIn event = iota
	eventSignInFailed
	eventSecondFactorRequired
	eventSecondFactorAccepted
	eventSecondFactorFailed
	eventTooManyAttempts
	eventSignedOut
	eventSignedOutEverywhere
	eventSessionTimedOut
	eventTokenRenewal
	eventTokensRevoked
	eventRemoteSignOutFailed
	eventTokensNotDeleted
	eventSessionsEnded
	eventSessionLimit
	eventAdministratorEnds
	eventBackChannelLogout
	eventBackChannelRefused
	eventCrossOriginRefused
	eventNotReady
	eventTooManyLogouts
	eventSessionNotDeleted
	eventLogoutGivenUp
	eventLogoutNotMarked
)

// counter is a Prometheus counter of events. An event's attributes give the
// values of the labels, see eventLog.count.
type counter struct {
	name   string
	help   string
	labels []string
}

var (
	signIns         = counter{"sign_ins_total", "Sign-ins that finished or failed.", []string{"client", "result"}}
	secondFactors   = counter{"second_factors_total", "One-time codes entered.", []string{"client", "result"}}
	attemptsRefused = counter{"attempts_refused_total", "Attempts to sign in beyond the limit.", []string{"by"}}
	signOuts        = counter{"sign_outs_total", "Sessions ended, other than by a refused renewal.", []string{"reason"}}
	revocations     = counter{"revocations_total", "Sign-outs at the IdentityServer.", []string{"client", "result"}}
)

// events is the table of all lines that this package and its rooms write to
// Config.Logger. The metrics and the package's doc are made from it.
//
// An event with a counter adds 1 to it, or the value of its attribute
// "sessions".
var events = [...]struct {
	name       string
	level      slog.Level // the usual one
	attributes string     // beside the request's
	counter    *counter
	reason     string // value of the counter's label of that name
}{
	eventSignedIn:             {"signed in", slog.LevelInfo, "client, user, account, administrator", &signIns, ""},
	eventSignInFailed:         {"sign-in failed", slog.LevelWarn, "client, account, error", &signIns, ""},
	eventSecondFactorRequired: {"second factor required", slog.LevelInfo, "client, account", nil, ""},
	eventSecondFactorAccepted: {"second factor accepted", slog.LevelInfo, "client, account", &secondFactors, ""},
	eventSecondFactorFailed:   {"second factor failed", slog.LevelWarn, "client, account, error", &secondFactors, ""},
	eventTooManyAttempts:      {"too many attempts", slog.LevelWarn, "by, account", &attemptsRefused, ""},
	eventSignedOut:            {"signed out", slog.LevelInfo, "client, user", &signOuts, "user"},
	eventSignedOutEverywhere:  {"signed out everywhere", slog.LevelInfo, "user, sessions", &signOuts, "everywhere"},
	eventSessionTimedOut:      {"session timed out", slog.LevelInfo, "client, user", &signOuts, "timeout"},
	eventTokenRenewal:         {"token renewal", slog.LevelDebug, "result, client, user, took, error", nil, ""},
	eventTokensRevoked:        {"tokens revoked", slog.LevelInfo, "client, user", &revocations, ""},
	eventRemoteSignOutFailed:  {"remote sign-out failed", slog.LevelWarn, "client, user, error", &revocations, ""},
	eventTokensNotDeleted:     {"tokens not deleted", slog.LevelError, "client, user, error", nil, ""},
	eventSessionsEnded:        {"sessions ended", slog.LevelInfo, "user, sessions", &signOuts, "list"},
	eventSessionLimit:         {"sessions ended: too many of one user", slog.LevelInfo, "user, sessions", &signOuts, "limit"},
	eventAdministratorEnds:    {"administrator ends sessions", slog.LevelInfo, "administrator, user", nil, ""},
	eventBackChannelLogout:    {"back-channel logout", slog.LevelInfo, "user, sessions", &signOuts, "back-channel"},
	eventBackChannelRefused:   {"back-channel logout refused", slog.LevelWarn, "error", nil, ""},
	eventCrossOriginRefused:   {"cross-origin request refused", slog.LevelWarn, "origin, fetch_site", nil, ""},
	eventNotReady:             {"not ready", slog.LevelWarn, "client, part or store, error", nil, ""},
	eventTooManyLogouts:       {"too many refused logouts", slog.LevelWarn, "", nil, ""},
	eventSessionNotDeleted:    {"session not deleted", slog.LevelError, "user, error", nil, ""},
	eventLogoutGivenUp:        {"back-channel logout given up", slog.LevelError, "user", nil, ""},
	eventLogoutNotMarked:      {"logout token not marked as used", slog.LevelWarn, "user, error", nil, ""},

	// The rooms below this package write these by a logger of their own.
	{"request", slog.LevelInfo, "method, path, status, bytes, took", nil, ""},
	{"request failed", slog.LevelInfo, "status, error", nil, ""},
	{"request abandoned", slog.LevelInfo, "error", nil, ""},
	{"API call cut", slog.LevelWarn, "api, reason, bytes", nil, ""},
	{"panic", slog.LevelError, "cause, stack", nil, ""},
	{"error page failed", slog.LevelError, "error", nil, ""},
	{"session over", slog.LevelInfo, "error", nil, ""},
	{"session not ended", slog.LevelError, "error", nil, ""},
	{"session not read", slog.LevelError, "error", nil, ""},
	{"session touch failed", slog.LevelWarn, "error", nil, ""},
	{"session not saved: it ended meanwhile", slog.LevelInfo, "", nil, ""},
	{"session not saved after the answer", slog.LevelWarn, "error", nil, ""},
}

// eventLog writes events to the log, with the attributes of the request, and
// counts them.
type eventLog struct {
	logger  *slog.Logger // adds the request's ID, address and session
	metrics *Metrics
}

// record writes e at its usual level. The args are as in [slog.Logger.Log].
func (l *eventLog) record(ctx context.Context, e event, args ...any) {
	l.recordAt(ctx, events[e].level, e, args...)
}

// recordAt is record at another level.
func (l *eventLog) recordAt(ctx context.Context, level slog.Level, e event, args ...any) {
	l.count(e, args)
	l.logger.Log(ctx, level, events[e].name, args...)
}

func (l *eventLog) count(e event, args []any) {
	row := events[e]
	if row.counter == nil {
		return
	}
	values := make([]string, len(row.counter.labels))
	for i, label := range row.counter.labels {
		switch label {
		case "reason":
			values[i] = row.reason
		case "result":
			err, _ := argument(args, "error").(error)
			values[i] = resultOf(err)
		default:
			values[i], _ = argument(args, label).(string)
		}
	}
	amount, ok := argument(args, "sessions").(int)
	if !ok {
		amount = 1
	}
	l.metrics.events[row.counter].WithLabelValues(values...).Add(float64(amount))
}

// argument returns the value of key in args, which are as slog wants them.
func argument(args []any, key string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == key {
			return args[i+1]
		}
	}
	return nil
}
