package showcase

// An offerGroup is the calls of one API, in the order in which they were given.
type offerGroup struct {
	API    string
	Offers []Offer
}

// groupOffers groups calls by API, in order of first appearance.
func groupOffers(offers []Offer) []offerGroup {
	var groups []offerGroup
	index := map[string]int{}
	for _, o := range offers {
		i, ok := index[o.API]
		if !ok {
			i = len(groups)
			index[o.API] = i
			groups = append(groups, offerGroup{API: o.API})
		}
		groups[i].Offers = append(groups[i].Offers, o)
	}
	return groups
}
