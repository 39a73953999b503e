package showcase

import "slices"

// A factRow is one row of the comparison: what each platform says of one thing,
// in the platforms' order. A text is "" if the platform says nothing.
type factRow struct {
	Name  string
	Texts []string
}

// compare returns the cards that have facts, and the facts as rows, in order of
// first appearance.
func compare(cards []Card) ([]Card, []factRow) {
	var rows []factRow
	compared := slices.DeleteFunc(slices.Clone(cards), func(c Card) bool { return len(c.Facts) == 0 })
	for column, c := range compared {
		for _, f := range c.Facts {
			i := slices.IndexFunc(rows, func(r factRow) bool { return r.Name == f.Name })
			if i < 0 {
				i = len(rows)
				rows = append(rows, factRow{f.Name, make([]string, len(compared))})
			}
			rows[i].Texts[column] = f.Text
		}
	}
	return compared, rows
}
