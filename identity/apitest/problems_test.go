package apitest_test

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

func TestProblems(t *testing.T) {
	none := apitest.Problems{Package: "mytest"}
	none.Lifetime("A", 0)
	none.Lifetime("B", 1)
	none.WholeSeconds("C", 0)
	none.WholeSeconds("D", time.Minute)
	wantEqual(t, "error of a good Config", none.Err(), nil)

	some := apitest.Problems{Package: "mytest"}
	some.WholeSeconds("Z", -time.Millisecond)
	some.Lifetime("Y", -1)
	some.Add("X", "has %d%%", 7)
	const want = `mytest: Config.Z is negative
mytest: Config.Z is not in whole seconds
mytest: Config.Y is negative
mytest: Config.X has 7%`
	err := some.Err()
	if err == nil {
		t.Fatal("no error")
	}
	wantEqual(t, "error", err.Error(), want)
}
