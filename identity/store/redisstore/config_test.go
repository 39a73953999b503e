package redisstore

import (
	"crypto/tls"
	"testing"

	"b2trader.identity.auth/identity/store/storetest"
)

func TestConfigProblemsComeTogetherWithoutSecrets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg  Config
		says []string
	}{
		{Config{Timeout: -1}, []string{"URL", "Timeout"}},
		{Config{URL: "http://user:hunter2@host"}, []string{"URL"}},
		{Config{URL: "redis://user:hunter2/x@host:1"}, []string{"URL"}},
		{Config{URL: "rediss://user:hunter2%t@host:1"}, []string{"rediss://…"}}, // field 26
		{Config{URL: "redis://user:2024#hunter2@host:1"}, []string{"redis://…", "%XX"}},
		{Config{URL: "redis://user:hunter2@host:1/hunter2"}, []string{"database"}},
		{Config{URL: "redis://user:hunter2@127.0.0.1:1/0", SentinelPassword: "hunter2"}, []string{"master_set"}},
		{Config{URL: "redis://user:hunter2@127.0.0.1:1/0"}, []string{"refused"}},
		// field 29
		{Config{URL: "redis://user:hunter2@redis.example:1/0"}, []string{"verified TLS", "redis.example", "InsecureAllowPlaintext"}},
		{Config{URL: "redis://:hunter2@127.0.0.1:1?addr=192.0.2.7:1"}, []string{"192.0.2.7"}},
		{Config{URL: "redis://:hunter2@127.0.0.1:1/0?addr=192.0.2.7:1&master_set=main"}, []string{"192.0.2.7"}},
		{Config{URL: "rediss://:hunter2@redis.example:1/0?skip_verify=true"}, []string{"verified TLS"}},
		{Config{URL: "rediss://:hunter2@redis.example:1/0", TLS: &tls.Config{InsecureSkipVerify: true}}, []string{"verified TLS"}},
	} {
		s, err := Open(t.Context(), test.cfg)
		storetest.CheckConfigError(t, s, err, test.says...)
	}
}
