// Package docs has documents and the tests that keep them true: a requirement has
// a test, a test that a document names exists, a link leads somewhere, and an
// example is one that compiles.
package docs
