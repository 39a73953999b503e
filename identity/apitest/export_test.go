package apitest

// Len is how many tokens are remembered, whether they have expired or not.
func (t *Tokens) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.valid)
}
