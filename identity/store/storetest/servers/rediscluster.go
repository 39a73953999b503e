package servers

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest"
)

// A RedisCluster is a cluster of primaries without replicas.
type RedisCluster struct {
	Nodes []*Redis
	URL   string
}

// StartRedisCluster starts a cluster of three nodes.
func StartRedisCluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	c := &RedisCluster{}
	const n, slots = 3, 16384
	for i := range n {
		node := startNode(tb)
		node.MustDo(tb, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/n), strconv.Itoa((i+1)*slots/n-1))
		c.Nodes = append(c.Nodes, node)
	}
	for _, node := range c.Nodes[1:] {
		c.Nodes[0].meet(tb, node)
	}
	c.settle(tb)
	c.URL = fmt.Sprintf("redis://%s?addr=%s&addr=%s", c.Nodes[0].Addr, c.Nodes[1].Addr, c.Nodes[2].Addr)
	return c
}

// startNode starts a node that writes to the disk before it answers. By default
// a kill may lose the writes of two seconds.
func startNode(tb testing.TB) *Redis {
	tb.Helper()
	return StartRedis(tb, "--appendfsync", "always", "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(FreePort(tb)), "--cluster-node-timeout", "2000")
}

func (r *Redis) meet(tb testing.TB, other *Redis) {
	tb.Helper()
	_, bus, _ := strings.Cut(other.MustDo(tb, "CONFIG", "GET", "cluster-port"), " ")
	r.MustDo(tb, "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(other.Port), bus)
}

// settle waits until all nodes know each other and their slots.
func (c *RedisCluster) settle(tb testing.TB) {
	tb.Helper()
	for _, node := range c.Nodes {
		storetest.Until(tb, func() bool {
			info := node.MustDo(tb, "CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", len(c.Nodes)))
		})
	}
	c.FailAfter(tb, time.Minute) // a busy machine is not to look like a failure
}

// FailAfter makes the nodes take a silence of another node for its failure.
func (c *RedisCluster) FailAfter(tb testing.TB, silence time.Duration) {
	tb.Helper()
	for _, node := range c.Nodes {
		node.MustDo(tb, "CONFIG", "SET", "cluster-node-timeout", strconv.FormatInt(silence.Milliseconds(), 10))
	}
}

// Grow adds a node and gives it a slot, which must be empty.
func (c *RedisCluster) Grow(tb testing.TB, slot int) {
	tb.Helper()
	node := startNode(tb)
	c.Nodes[0].meet(tb, node)
	c.Nodes = append(c.Nodes, node)
	c.settle(tb)
	node.MustDo(tb, "CLUSTER", "BUMPEPOCH")
	id := node.MustDo(tb, "CLUSTER", "MYID")
	for i := range c.Nodes {
		c.Nodes[len(c.Nodes)-1-i].MustDo(tb, "CLUSTER", "SETSLOT", strconv.Itoa(slot), "NODE", id)
	}
}
