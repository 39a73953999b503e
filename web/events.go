package web

// event counts what is logged: the log and the metrics tell the same. The package's doc lists the events.
func (m *metrics) event(name string, args []any) {
	switch name {
	case "signed in", "sign-in failed", "platform sign-in", "platform sign-in failed":
		m.signIns.WithLabelValues(clientOf(args), resultOf(errorOf(args))).Inc()
	case "machine sign-in", "machine sign-in failed":
		m.signIns.WithLabelValues("machine/"+clientOf(args), resultOf(errorOf(args))).Inc()
	case "second factor accepted", "second factor failed":
		m.secondFactors.WithLabelValues(clientOf(args), resultOf(errorOf(args))).Inc()
	case "too many attempts":
		by, _ := argument(args, "by").(string)
		m.attemptsRefused.WithLabelValues(by).Inc()
	case "tokens revoked", "remote sign-out failed":
		m.revocations.WithLabelValues(clientOf(args), resultOf(errorOf(args))).Inc()
	case "signed out":
		m.signOuts.WithLabelValues("user").Inc()
	case "session timed out":
		m.signOuts.WithLabelValues("timeout").Inc()
	case "signed out everywhere":
		m.signOuts.WithLabelValues("everywhere").Add(sessionsOf(args))
	case "sessions ended":
		m.signOuts.WithLabelValues("list").Add(sessionsOf(args))
	case "sessions ended: too many of one user":
		m.signOuts.WithLabelValues("limit").Add(sessionsOf(args))
	case "back-channel logout":
		m.signOuts.WithLabelValues("back-channel").Add(sessionsOf(args))
	}
}

func sessionsOf(args []any) float64 {
	n, _ := argument(args, "sessions").(int)
	return float64(n)
}

func clientOf(args []any) string {
	client, _ := argument(args, "client").(string)
	return client
}

func errorOf(args []any) error {
	err, _ := argument(args, "error").(error)
	return err
}

// argument returns what stands after key in args, which are as slog wants them.
func argument(args []any, key string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == key {
			return args[i+1]
		}
	}
	return nil
}
