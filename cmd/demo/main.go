// Command demo serves the web application of this module. Without arguments it
// brings an IdentityServer of its own, so that
//
//	go run ./cmd/demo
//
// is all it takes to try everything. With -identity-url it signs in to a real
// B2Trader; demo -h lists the flags. Each flag is also an environment variable:
// B2TRADER_ and its name in capitals, with underscores for dashes. A flag beats
// its variable. Secrets come from files, or from the variables
// B2TRADER_SPA_ADMIN_SECRET, B2TRADER_CORE_IB_SECRET, B2TRADER_LK_SECRET and
// B2TRADER_MACHINE_PASSWORD, and never from the command line, which every
// process of the machine can read.
//
// An unknown B2TRADER_ variable, a setting that has no effect and a setting
// that lacks another are errors. All are reported at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"
)

func main() {
	ctx, stop := untilSignal()
	defer stop()
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has just been called
	}
}

// run is the program. It returns when ctx ends and everything has stopped.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	s, problems, err := parse(args, env, stderr)
	if err != nil || s.help {
		return err
	}
	if s.generateSessionKey {
		_, err := fmt.Fprintln(stdout, newKeyLine(time.Now()))
		return err
	}
	if s.version {
		info, ok := debug.ReadBuildInfo()
		if !ok {
			return errors.New("-version: the program was built without information about its build")
		}
		_, err := io.WriteString(stdout, version(info))
		return err
	}
	if s.healthCheck {
		return s.checkHealth(ctx)
	}
	p, err := s.check(problems)
	if err != nil {
		return fmt.Errorf("the configuration has problems:\n%w", err)
	}
	if s.onlyCheck {
		return s.checkConfig(ctx, p, stdout)
	}
	return serve(ctx, s, stdout, stderr)
}
