package templates

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Complete returns a copy of t, in which a text that is empty is the English
// one. If t is nil, it is English. The copy shares nothing with t.
func Complete(t *Texts) *Texts {
	var complete Texts
	if t != nil {
		complete = *t
	}
	fill(reflect.ValueOf(&complete).Elem(), reflect.ValueOf(English))
	return &complete
}

// fill sets each text of to that is empty to that of from.
func fill(to, from reflect.Value) {
	switch to.Kind() {
	case reflect.Struct:
		for i := range to.NumField() {
			fill(to.Field(i), from.Field(i))
		}
	case reflect.Map:
		merged := reflect.MakeMap(to.Type())
		for _, m := range []reflect.Value{from, to} {
			for _, key := range m.MapKeys() {
				value := reflect.New(to.Type().Elem()).Elem()
				value.Set(m.MapIndex(key))
				if usual := from.MapIndex(key); usual.IsValid() {
					fill(value, usual)
				}
				merged.SetMapIndex(key, value)
			}
		}
		to.Set(merged)
	default:
		if to.IsZero() {
			to.Set(from)
		}
	}
}

var (
	languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`) // BCP 47, well-formed for most
	anyVerb     = regexp.MustCompile(`%.?`)
	textVerb    = regexp.MustCompile(`%[sd]`)
)

// CheckTexts reports each text of t that a page cannot use, by its field with a
// dot before it: one whose verbs are not those of the English text, one of an
// error that the site does not have, and a language that is no BCP 47 tag. An
// empty text is no problem, and neither is t if it is nil.
func CheckTexts(t *Texts, report func(field, problem string)) {
	if t == nil {
		return
	}
	if t.Lang != "" && !languageTag.MatchString(t.Lang) {
		report(".Lang", fmt.Sprintf("is %q, want a language tag such as de or pt-BR (BCP 47)", t.Lang))
	}
	english := map[string]string{}
	eachText(reflect.ValueOf(English), "", func(field string, text reflect.Value) {
		english[field] = text.String()
	})
	eachText(reflect.ValueOf(*t), "", func(field string, text reflect.Value) {
		usual, known := english[field]
		switch {
		case !known && strings.HasPrefix(field, ".Errors["):
			report(field, "has no effect: the site has no error with this code")
		case text.Kind() == reflect.String && !text.IsZero():
			if got, want := verbs(text.String(), usual), textVerb.FindAllString(usual, -1); !slices.Equal(got, want) {
				report(field, fmt.Sprintf("has the verbs %q, want %q as the English %q", got, want, usual))
			}
		}
	})
}

// verbs returns the verbs of text, in their order. If the English text has none,
// text is not a format, and a percent sign in it is only a percent sign.
func verbs(text, english string) []string {
	if textVerb.MatchString(english) {
		return anyVerb.FindAllString(text, -1)
	}
	return textVerb.FindAllString(text, -1)
}

// eachText calls f with each string and function of v, which is a Texts or a
// part of one, and its path.
func eachText(v reflect.Value, path string, f func(path string, text reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachText(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			eachText(v.MapIndex(key), fmt.Sprintf("%s[%q]", path, key), f)
		}
	default:
		f(path, v)
	}
}
