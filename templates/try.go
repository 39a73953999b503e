package templates

// callGroup is the calls of one API, in the order they were given.
type callGroup struct {
	API   string
	Calls []Call
}

// groupCalls groups calls by API, in order of first appearance.
func groupCalls(calls []Call) []callGroup {
	var groups []callGroup
	index := map[string]int{}
	for _, c := range calls {
		i, ok := index[c.API]
		if !ok {
			i = len(groups)
			index[c.API] = i
			groups = append(groups, callGroup{API: c.API})
		}
		groups[i].Calls = append(groups[i].Calls, c)
	}
	return groups
}

// resultStatus is the status in the API's own words where it gave some.
func resultStatus(r CallResult) string {
	if r.StatusText == "" {
		return statusLine(r.Status)
	}
	return r.StatusText
}
