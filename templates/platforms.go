package templates

import "slices"

// factRow is one row of the comparison: what each platform says of one thing, in
// the platforms' order; empty where it says nothing.
type factRow struct {
	Name  string
	Texts []string
}

// compare turns the platforms' facts into rows, in order of first appearance.
func compare(platforms []Platform) []factRow {
	var rows []factRow
	for column, p := range platforms {
		for _, f := range p.Facts {
			i := slices.IndexFunc(rows, func(r factRow) bool { return r.Name == f.Name })
			if i < 0 {
				i = len(rows)
				rows = append(rows, factRow{f.Name, make([]string, len(platforms))})
			}
			rows[i].Texts[column] = f.Text
		}
	}
	return rows
}

// problemOf returns a problem that one of the cards shows, for the title.
func problemOf(platforms []Platform) string {
	for _, p := range platforms {
		if p.Problem != "" {
			return p.Problem
		}
	}
	return ""
}
