package showcase

import (
	"fmt"
	"strings"
)

// The diagram's measures, in SVG user units (CSS pixels at its natural size).
const (
	timeX     = 80  // right edge of the times
	firstLane = 92  // centre of the first lane
	laneGap   = 300 // between lane centres
	laneBox   = 148 // width of a lane's name box
	laneTop   = 36  // height of a lane's name box

	stepGap    = 34 // above a step's label
	lineHeight = 17 // of a detail line
	textInset  = 14 // from a lane to the text beside it
	headSize   = 8  // of an arrow head
	loopWidth  = 36 // of an arrow from a lane to itself

	labelWidth  = 7.4 // of a character of a label, on average
	detailWidth = 7   // of a character of a detail

	maxDetails  = 12 // detail lines of one step; the list below the diagram has them all
	wrapDetails = 3  // lines one detail may take
)

// diagram is the geometry of a sequence diagram.
type diagram struct {
	Width, Height int
	Summary       string
	Lanes         []lane
	Arrows        []arrow
}

// lane is one participant: a name over a vertical line at X.
type lane struct {
	X    int
	Name string
}

// stroke is a horizontal arrow at height Y. A loop leaves a lane and returns to
// it.
type stroke struct {
	X1, X2, Y int
	Loop      bool
}

// arrow is one exchange: a request out, its parameters, and the answer back.
type arrow struct {
	Out, Back stroke
	TextX     int
	Offset    string // since the first step
	Label     string
	Details   []string
	Answer    string
	Kind      string // good, warn or bad
	Answered  bool
	Failed    bool
}

// newDiagram lays steps out under each other. Steps that name a lane which does
// not exist
// are drawn at the nearest one.
func newDiagram(names []string, steps []Step) diagram {
	if len(names) == 0 {
		names = []string{"?"}
	}
	var d diagram
	d.Width = firstLane + (len(names)-1)*laneGap + firstLane
	for i, name := range names {
		d.Lanes = append(d.Lanes, lane{X: firstLane + i*laneGap, Name: clip(name, laneBox/labelWidth)})
	}
	y := laneTop + stepGap
	for _, s := range steps {
		a := newArrow(names, s, y, d.Width)
		d.Arrows = append(d.Arrows, a)
		y = a.Back.Y + stepGap + lineHeight
	}
	d.Height = y + laneTop
	d.Summary = fmt.Sprintf("%d exchanges between %s, from top to bottom. The list below says the same in words.",
		len(steps), strings.Join(names, ", "))
	return d
}

// newArrow lays out one step whose arrow out is at y, in a diagram width wide.
func newArrow(names []string, s Step, y, width int) arrow {
	from, to := clampLane(s.From, names), clampLane(s.To, names)
	x1, x2 := firstLane+from*laneGap, firstLane+to*laneGap
	textX, room := min(x1, x2)+textInset, max(x1, x2)-min(x1, x2)-2*textInset
	loop := from == to
	if loop {
		textX, room = x1+loopWidth+textInset, laneGap-loopWidth-2*textInset
	}
	a := arrow{
		Out:      stroke{X1: x1, X2: x2, Y: y, Loop: loop},
		TextX:    textX,
		Offset:   "+" + took(s.After),
		Label:    clip(s.Label, float64(width-textX)/labelWidth),
		Details:  detailLines(s.Details, room/detailWidth),
		Answer:   statusLine(s.Status) + " · " + took(s.Took),
		Kind:     stepKind(s),
		Answered: s.Status != 0,
		Failed:   s.Failed,
	}
	a.Back = stroke{X1: x2, X2: x1, Y: a.DetailY(len(a.Details)) + lineHeight, Loop: loop}
	return a
}

// DetailY is the base line of detail line i.
func (a arrow) DetailY(i int) int { return a.Out.Y + lineHeight + 1 + i*lineHeight }

// ViewBox is the svg element's viewBox.
func (d diagram) ViewBox() string { return fmt.Sprintf("0 0 %d %d", d.Width, d.Height) }

// Path is the stroke as SVG path data.
func (s stroke) Path() string {
	if s.Loop {
		return fmt.Sprintf("M%d %dh%dv6h-%d", s.X1, s.Y-6, loopWidth, loopWidth)
	}
	return fmt.Sprintf("M%d %dH%d", s.X1, s.Y, s.X2)
}

// Head is the points of the arrow head at the stroke's end.
func (s stroke) Head() string {
	back := headSize
	if s.X2 > s.X1 {
		back = -headSize
	}
	return fmt.Sprintf("%d,%d %d,%d %d,%d", s.X2, s.Y, s.X2+back, s.Y-headSize/2, s.X2+back, s.Y+headSize/2)
}

// detailLines breaks details into lines of at most width characters.
func detailLines(details []string, width int) []string {
	var lines []string
	for i, d := range details {
		wrapped := wrap(d, width, wrapDetails)
		if len(lines)+len(wrapped) >= maxDetails && i < len(details)-1 {
			return append(lines, fmt.Sprintf("and %d more", len(details)-i))
		}
		lines = append(lines, wrapped...)
	}
	return lines
}

// wrap breaks text into at most limit lines of at most width characters; the
// last is clipped.
func wrap(text string, width, limit int) []string {
	runes := []rune(text)
	var lines []string
	for len(runes) > width && len(lines) < limit-1 {
		n := breakAt(runes, width)
		lines = append(lines, string(runes[:n]))
		runes = runes[n:]
	}
	return append(lines, clip(string(runes), float64(width)))
}

// breakAt is where to break a line of more than width characters: after the
// last mark in
// its last third that a reader would break at, else where it is full.
func breakAt(runes []rune, width int) int {
	for n := width; n > 2*width/3; n-- {
		if strings.ContainsRune(" /,&", runes[n-1]) {
			return n
		}
	}
	return width
}

// clip shortens text to width characters, the last of them an ellipsis.
func clip(text string, width float64) string {
	runes := []rune(text)
	if n := int(width); len(runes) > n {
		return string(runes[:max(n-1, 0)]) + "…"
	}
	return text
}

// clampLane is the lane nearest to i that exists.
func clampLane(i int, names []string) int { return min(max(i, 0), len(names)-1) }

// laneName is the name of the lane nearest to i.
func laneName(names []string, i int) string {
	if len(names) == 0 {
		return "?"
	}
	return names[clampLane(i, names)]
}

// stepKind is statusKind, with a failure never looking good.
func stepKind(s Step) string {
	if kind := statusKind(s.Status); !s.Failed || kind != "good" {
		return kind
	}
	return "bad"
}
