package redisstore_test

import (
	"context"
	"fmt"

	"b2trader.identity.auth/identity/store/redisstore"
)

func Example() {
	ctx := context.Background()
	sessions, err := redisstore.Open(ctx, redisstore.Config{URL: "rediss://user:password@sessions.example.com:6379/0"})
	if err != nil {
		fmt.Println(err) // every problem of the Config, without the password
		return
	}
	defer func() { _ = sessions.Close() }()
}

func ExampleConfig_sentinel() {
	cfg := redisstore.Config{URL: "rediss://:password@sentinel1:26379/0?addr=sentinel2:26379&addr=sentinel3:26379&master_set=sessions"}
	fmt.Println(cfg.Timeout) // 0: the default of 3 s
	// Output: 0s
}
