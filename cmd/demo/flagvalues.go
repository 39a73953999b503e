package main

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// value returns a function that parses the text of a flag into v. Its error
// follows the flag's name and value, and says which value works: those of package
// flag say "parse error".
func value[T any](v *T, parse func(string) (T, error), want string) func(string) error {
	return func(text string) error {
		parsed, err := parse(text)
		if err != nil {
			return errors.New("want " + want)
		}
		*v = parsed
		return nil
	}
}

func duration(d *time.Duration) func(string) error {
	return value(d, time.ParseDuration, "a number and a unit, such as 90s, 5m or 1h30m")
}

func number(n *int) func(string) error { return value(n, strconv.Atoi, "a whole number, such as 5") }

func boolean(b *bool) func(string) error { return value(b, strconv.ParseBool, "true or false") }

func networks(prefixes *[]netip.Prefix) func(string) error {
	return value(prefixes, parseNetworks, "networks such as 10.0.0.0/8,192.168.1.7/32")
}

// parseNetworks parses networks that are separated by commas.
func parseNetworks(text string) (networks []netip.Prefix, err error) {
	for part := range strings.SplitSeq(text, ",") {
		network, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		networks = append(networks, network)
	}
	return networks, nil
}
