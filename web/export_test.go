package web

import (
	"errors"
	"strings"
)

// Events returns the attributes of each event in the table events.
func Events() map[string][]string {
	table := make(map[string][]string)
	for _, e := range events {
		table[e.name] = strings.FieldsFunc(e.attributes, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return table
}

// DocTables returns the tables that the package's doc must contain.
func DocTables() []string { return []string{eventsDoc(), NewMetrics().doc.String()} }

// Results returns the values of the label result that errors give.
func Results() []string {
	words := []string{resultOf(nil), resultOf(errors.New("another"))}
	for _, r := range results {
		words = append(words, r.word)
	}
	return words
}
