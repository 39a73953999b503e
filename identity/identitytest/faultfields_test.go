package identitytest

import (
	"reflect"
	"testing"
	"time"
)

// req 133: package apitest tests the faults; each field must reach it.
func TestFaultFieldsReachApitest(t *testing.T) {
	fault := Fault{
		Times: 2, Grant: GrantPassword, DelayBefore: time.Second, DelayAfter: time.Minute, LoseRequest: true, LoseAnswer: true,
		Status: 503, Body: []byte("body"), RetryAfter: "7", ContentType: "text/plain", Oversized: true, Answer: func(map[string]any) {},
	}
	from, to := reflect.ValueOf(fault), reflect.ValueOf(fault.common())
	for i := range to.NumField() {
		name := to.Type().Field(i).Name
		switch source := from.FieldByName(name); {
		case to.Field(i).IsZero():
			t.Errorf("apitest.Fault.%s is zero, want it set", name)
		case source.IsValid() && source.Kind() != reflect.Func && !reflect.DeepEqual(source.Interface(), to.Field(i).Interface()):
			t.Errorf("apitest.Fault.%s = %v, want %v", name, to.Field(i), source)
		}
	}
	for _, f := range []Fault{{Status: 503}, {Body: []byte("{}")}} {
		if got := f.common().ContentType; got != identityServerJSON {
			t.Errorf("ContentType of %+v = %q, want %q", f, got, identityServerJSON)
		}
	}
	if got := (Fault{Oversized: true}).common(); got.ContentType != "" || got.If != nil {
		t.Errorf("common() = %+v, want no ContentType and no If", got)
	}
}
