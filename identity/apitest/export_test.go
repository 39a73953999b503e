package apitest

// Len returns the number of tokens, including expired ones.
func (t *Tokens) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.valid)
}
