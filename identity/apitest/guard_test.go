package apitest_test

import (
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

func TestNothingEqualsAnEmptySecret(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{{"a", "a", true}, {"a", "b", false}, {"a", "", false}, {"", "a", false}, {"", "", false}} {
		wantEqual(t, c.want+" and "+c.got+": same", apitest.SameSecret(c.want, c.got), c.same)
	}
}
