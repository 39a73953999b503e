package web_test

import (
	"os"
	"testing"
)

// TestMain runs the example of Page as a program, for package e2e.
func TestMain(m *testing.M) {
	if os.Getenv("B2TRADER_TEST_SERVE_EXAMPLE") == "1" {
		ExamplePage()
	}
	os.Exit(m.Run())
}
