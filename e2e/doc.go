// Package e2e holds the tests of the whole: the site's production handler tree
// with an IdentityServer behind it and browsers in front of it, the command
// demo as a process of its own, the npm package beside the Go client on the
// wire, and a newcomer's program. It also keeps the rules of the house: who
// may import whom, and how long a file may be.
//
// Whatever reaches a browser of these tests, and whatever is logged, is
// searched for every secret that came up in the test.
package e2e
