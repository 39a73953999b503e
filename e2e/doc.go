// Package e2e tests what needs processes, sockets or foreign software: the
// command demo as one process and as replicas on a real store, the npm package
// beside the Go client on the wire, and a newcomer's program. It also tests the
// rules for the repository: which package imports which, and how comments are
// written.
//
// The harness stands in process_test.go (a demo), fleet_test.go (two demos on a
// store), identityserver_test.go and browser_test.go. Each answer to a browser
// is checked by checkAnswer. Answers and logs are searched for each secret of
// the test.
package e2e
