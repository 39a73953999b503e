package main

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The errors of these functions follow the flag's name and its value, and say
// which value works. Those of package flag say "parse error".

// duration returns a function that parses a duration into d.
func duration(d *time.Duration) func(string) error {
	return func(text string) error {
		parsed, err := time.ParseDuration(text)
		if err != nil {
			return errors.New("want a number and a unit, such as 90s, 5m or 1h30m")
		}
		*d = parsed
		return nil
	}
}

// number returns a function that parses a whole number into n.
func number(n *int) func(string) error {
	return func(text string) error {
		parsed, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("want a whole number, such as 5")
		}
		*n = parsed
		return nil
	}
}

// boolean returns a function that parses the value of a flag that needs none
// into b.
func boolean(b *bool) func(string) error {
	return func(text string) error {
		parsed, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("want true or false")
		}
		*b = parsed
		return nil
	}
}

// networks returns a function that parses networks, separated by commas, into
// prefixes.
func networks(prefixes *[]netip.Prefix) func(string) error {
	return func(text string) error {
		var parsed []netip.Prefix
		for part := range strings.SplitSeq(text, ",") {
			prefix, err := netip.ParsePrefix(strings.TrimSpace(part))
			if err != nil {
				return errors.New("want networks such as 10.0.0.0/8,192.168.1.7/32")
			}
			parsed = append(parsed, prefix)
		}
		*prefixes = parsed
		return nil
	}
}
