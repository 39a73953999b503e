package web_test

import (
	"os"
	"testing"
)

// TestServeExample runs the example of Page as a program, for package e2e.
func TestServeExample(t *testing.T) {
	if os.Getenv("IDENTITY_URL") == "" {
		t.Skip("package e2e runs it")
	}
	ExamplePage()
}
