package tokenapi

import "b2trader.identity.auth/identity/internal/checkconfig"

// A FieldError is the problem of one field of a Config. Its Field names the
// struct and the field, such as Config.URL or Account.Login; its Err says what
// is wrong, such as "is missing". The error of a constructor of this module
// joins one FieldError for each problem.
type FieldError = checkconfig.FieldError

// Problems collects the FieldErrors of a Config, for a constructor that reports
// all of them at once. Its zero value is ready to use. Add, Check, Missing and
// others report a problem of a field, and Err joins all problems.
type Problems = checkconfig.Problems

// IsLoopback reports whether host, a name or an IP address without a port, is
// this machine's loopback interface, where plain HTTP is allowed.
func IsLoopback(host string) bool { return checkconfig.IsLoopback(host) }
