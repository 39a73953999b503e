package main

import (
	"cmp"
	"fmt"
	"net"
	"strconv"

	"b2trader.identity.auth/identity/tokenapi"
)

// freeAddress is where an embedded server listens unless a setting says
// otherwise: a free port of loopback.
const freeAddress = "127.0.0.1:0"

// platformCount is the number of servers that listen at -platforms-addr and the
// ports after it.
const platformCount = 5

// platformAddr returns the address of the embedded platform with that index:
// the port of -platforms-addr plus the index, or a free port.
func (s *settings) platformAddr(index int) string {
	host, text, _ := net.SplitHostPort(cmp.Or(s.platformsAddr, freeAddress))
	if port, _ := strconv.Atoi(text); port > 0 {
		text = strconv.Itoa(port + index)
	}
	return net.JoinHostPort(host, text)
}

// embeddedAddressProblems returns the problems of the addresses of embedded
// servers. These servers answer on loopback only.
func (s *settings) embeddedAddressProblems() []error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	for _, f := range []struct {
		flag, addr string
		ports      int
		embedded   bool
	}{
		{"-identity-addr", s.identityAddr, 1, s.identityURL == ""},
		{"-platforms-addr", s.platformsAddr, platformCount, s.identityURL == "" && s.platformsFile == ""},
	} {
		if f.addr == "" {
			continue
		}
		host, text, err := net.SplitHostPort(f.addr)
		port, numeric := strconv.ParseUint(text, 10, 16)
		switch {
		case !f.embedded:
			report("%s has no effect with -identity-url or -platforms-file, which name real servers", f.flag)
		case err != nil || numeric != nil || int(port)+f.ports-1 > 65535:
			report("%s is %q: want host:port, such as 127.0.0.1:8090, with a port up to %d", f.flag, f.addr, 65536-f.ports)
		case !tokenapi.IsLoopback(host):
			report("%s %s is not on loopback: the embedded servers are for tests and answer on loopback only", f.flag, f.addr)
		}
	}
	return problems
}
