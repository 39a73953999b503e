package redisstore

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/store/internal/storeurl"
)

// A Config locates the records.
type Config struct {
	// URL begins with redis:// or, for TLS, rediss://, and contains user and
	// password if the server asks for them:
	//
	//	redis://HOST:PORT/DATABASE                              one server
	//	redis://HOST:PORT?addr=HOST:PORT&addr=HOST:PORT         a cluster; one address is enough
	//	redis://HOST:PORT/DATABASE?addr=…&master_set=NAME       the primary that these Sentinels name
	//
	// valkey:// and valkeys:// are the same. redis:// is for loopback only, also
	// for the servers that Sentinels or a cluster name.
	URL string

	SentinelUsername, SentinelPassword string      // if Sentinels ask for them
	TLS                                *tls.Config // for rediss://; nil: the authorities of the system, TLS 1.2 or later

	Prefix  string        // of all keys and of the channel; "": "b2trader:"
	Timeout time.Duration // of each call, and of silence on a connection; 0: 3 s

	// ReplicaWait is how long Put and Delete wait until a replica has the change
	// (WAIT), so that a failover does not forget it. If none confirms it in
	// time, the change counts all the same, and writes do not wait for 5 s.
	// 0: 1 s with Sentinel and in a cluster, else not at all. Negative: never.
	ReplicaWait time.Duration

	// InsecureAllowPlaintext permits redis:// and unverified TLS beyond loopback:
	// others on the way may read and change records, and read the password.
	InsecureAllowPlaintext bool
}

const (
	defaultTimeout = 3 * time.Second
	pingInterval   = time.Second
	topologyCheck  = 2 * time.Second
)

// options checks c and translates it. No error shows the URL, which may contain
// a password.
func (c Config) options() (rueidis.ClientOption, error) {
	p := checkconfig.Problems{Package: "redisstore"}
	options, err := parse(c.URL)
	p.Check("URL", err)
	p.Negative("Timeout", c.Timeout < 0)
	if c.TLS != nil && options.TLSConfig == nil && err == nil {
		p.Add("TLS", "is set, but Config.URL does not begin with rediss://")
	}
	for _, f := range []struct{ field, value string }{{"SentinelUsername", c.SentinelUsername}, {"SentinelPassword", c.SentinelPassword}} {
		if f.value != "" && options.Sentinel.MasterSet == "" && err == nil {
			p.Add(f.field, "is set, but Config.URL has no master_set")
		}
	}
	if err := p.Err(); err != nil {
		return options, err
	}
	c.apply(&options)
	for _, addr := range options.InitAddress {
		if err := c.checkPrivate(addr, options.TLSConfig); err != nil {
			return options, err
		}
	}
	return options, nil
}

// checkPrivate returns the problem of a connection that strangers can read.
func (c Config) checkPrivate(addr string, config *tls.Config) error {
	host, _, err := net.SplitHostPort(addr)
	if c.InsecureAllowPlaintext || err == nil && storeurl.Private(host, config) {
		return nil
	}
	p := checkconfig.Problems{Package: "redisstore"}
	p.Add("URL", "leads beyond loopback, to %s, without verified TLS: use rediss:// without skip_verify; or set InsecureAllowPlaintext", addr)
	return p.Err()
}

// parse parses the URL. Its errors follow the name of the field.
func parse(text string) (rueidis.ClientOption, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || storeurl.Misread(text) || !slices.Contains([]string{"redis", "rediss", "valkey", "valkeys"}, u.Scheme) {
		return rueidis.ClientOption{}, fmt.Errorf("must be redis://HOST:PORT or rediss://HOST:PORT with %%XX for special characters, and %s is not", storeurl.Scheme(text))
	}
	options, err := rueidis.ParseURL(text)
	if err != nil {
		return options, fmt.Errorf("(%s) has a wrong database number or parameter", storeurl.Scheme(text))
	}
	return options, nil
}

func (c Config) apply(o *rueidis.ClientOption) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	o.Dialer = net.Dialer{Timeout: timeout, KeepAlive: pingInterval}
	o.ConnWriteTimeout = timeout
	o.DisableCache = true
	o.BlockingPoolSize = replicaConnections
	o.PipelineMultiplex = -1 // one connection per server, besides that for events
	if c.TLS != nil {
		name := o.TLSConfig.ServerName
		o.TLSConfig = c.TLS.Clone()
		if o.TLSConfig.ServerName == "" {
			o.TLSConfig.ServerName = name
		}
	}
	o.Sentinel.Dialer, o.Sentinel.TLSConfig = o.Dialer, o.TLSConfig
	o.Sentinel.Username, o.Sentinel.Password = c.SentinelUsername, c.SentinelPassword
	if o.Sentinel.MasterSet != "" {
		o.Sentinel.TopologyRefreshInterval = topologyCheck
	}
	o.ClusterOption.ShardsRefreshInterval = topologyCheck
}
