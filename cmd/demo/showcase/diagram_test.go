package showcase

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDiagramLanes(t *testing.T) {
	d := newDiagram([]string{"A", "B", "C"}, nil)
	for i, want := range []int{92, 392, 692} {
		if d.Lanes[i].X != want {
			t.Errorf("lane %d is at %d, want %d", i, d.Lanes[i].X, want)
		}
	}
	if d.Width != 784 || d.ViewBox() != "0 0 784 106" {
		t.Errorf("width %d, viewBox %q", d.Width, d.ViewBox())
	}
}

func TestDiagramArrow(t *testing.T) {
	step := Step{From: 1, To: 2, Label: "POST /token", Details: []string{"a=1", "b=2"}, Status: 200,
		After: 97 * time.Millisecond, Took: 1900 * time.Microsecond}
	a := newDiagram([]string{"A", "B", "C"}, []Step{step}).Arrows[0]
	for what, pair := range map[string][2]string{
		"path out":  {a.Out.Path(), "M392 70H692"},
		"head out":  {a.Out.Head(), "692,70 684,66 684,74"},
		"path back": {a.Back.Path(), "M692 139H392"},
		"head back": {a.Back.Head(), "392,139 400,135 400,143"},
		"answer":    {a.Answer, "200 OK · 1.9 ms"},
		"offset":    {a.Offset, "+97 ms"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", what, pair[0], pair[1])
		}
	}
	if a.DetailY(0) != 88 || a.DetailY(1) != 105 || a.TextX != 406 || !a.Answered {
		t.Errorf("details at %d and %d, text at %d, answered %t", a.DetailY(0), a.DetailY(1), a.TextX, a.Answered)
	}
}

// Steps follow each other without touching, and all of them are inside the picture.
func TestDiagramStepsDoNotOverlap(t *testing.T) {
	v := sampleFlow()
	d := newDiagram(v.Lanes, v.Steps)
	bottom := laneTop
	for i, a := range d.Arrows {
		if a.Out.Y-lineHeight < bottom {
			t.Errorf("step %d begins at %d, over the one before, which ends at %d", i, a.Out.Y, bottom)
		}
		if last := a.DetailY(len(a.Details) - 1); len(a.Details) > 0 && last >= a.Back.Y-lineHeight/2 {
			t.Errorf("step %d: details reach %d, the answer is at %d", i, last, a.Back.Y)
		}
		bottom = a.Back.Y
	}
	if bottom > d.Height-laneTop {
		t.Errorf("the last step ends at %d, the lanes at %d", bottom, d.Height-laneTop)
	}
}

func TestDiagramLoop(t *testing.T) {
	a := newDiagram([]string{"A", "B"}, []Step{{From: 1, To: 1}}).Arrows[0]
	if got := a.Out.Path(); got != "M392 64h36v6h-36" {
		t.Errorf("path is %q", got)
	}
	if a.TextX <= 392+loopWidth {
		t.Errorf("the label at %d is on the loop", a.TextX)
	}
}

func TestDiagramUnanswered(t *testing.T) {
	a := newDiagram([]string{"A", "B"}, []Step{{From: 0, To: 1, Took: time.Second, Failed: true}}).Arrows[0]
	if a.Answered || a.Kind != "bad" || a.Answer != "no answer · 1.00 s" {
		t.Errorf("answered %t, %s, %q", a.Answered, a.Kind, a.Answer)
	}
}

func TestDiagramSurvivesNonsense(t *testing.T) {
	d := newDiagram(nil, []Step{{From: -1, To: 7}})
	if len(d.Lanes) != 1 || d.Arrows[0].Out.X1 != firstLane || d.Arrows[0].Out.X2 != firstLane {
		t.Errorf("lanes %v, arrow %v", d.Lanes, d.Arrows[0].Out)
	}
	if got := laneName(nil, 3); got != "?" {
		t.Errorf("lane 3 of none is %q", got)
	}
}

func TestDiagramTextFits(t *testing.T) {
	long := strings.Repeat("é", 500)
	var details []string
	for range 20 {
		details = append(details, long)
	}
	d := newDiagram([]string{long, "B"}, []Step{{From: 0, To: 1, Label: long, Details: details}})
	a := d.Arrows[0]
	if right := float64(a.TextX) + labelWidth*float64(utf8.RuneCountInString(a.Label)); right > float64(d.Width) {
		t.Errorf("the label reaches %.0f of %d", right, d.Width)
	}
	if wide := labelWidth * float64(utf8.RuneCountInString(d.Lanes[0].Name)); wide > laneBox {
		t.Errorf("the lane's name is %.0f wide, its box %d", wide, laneBox)
	}
	for _, line := range a.Details {
		if right := a.TextX + detailWidth*utf8.RuneCountInString(line); right > a.Out.X2 {
			t.Errorf("a detail reaches %d, the lane is at %d", right, a.Out.X2)
		}
	}
	if n := len(a.Details); n > maxDetails || a.Details[n-1] != "and 17 more" {
		t.Errorf("%d lines, the last %q", n, a.Details[n-1])
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""}, {"abcd", "abcd"}, {"abcde", "abcd|e"}, {"abcdefgh", "abcd|efgh"}, {"abcdefghi", "abcd|efg…"},
		{"abc def", "abc |def"}, {"ab/cdef", "ab/|cdef"}, {"a bcdef", "a bc|def"}, {"a bcdefg/", "a bc|def…"},
	} {
		if got := strings.Join(wrap(c.text, 4, 2), "|"); got != c.want {
			t.Errorf("wrap(%q) is %q, want %q", c.text, got, c.want)
		}
	}
	if got := clip("abc", 0); got != "…" {
		t.Errorf("clip to nothing is %q", got)
	}
}
