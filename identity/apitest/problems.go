package apitest

import "b2trader.identity.auth/identity/internal/checkconfig"

// Problems collects what is wrong with the Config of a test server, so that its
// constructor reports everything at once. Its Package begins every problem,
// such as "b2coretest".
type Problems = checkconfig.Problems
