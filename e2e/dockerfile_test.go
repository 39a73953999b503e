package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// An image is what a Dockerfile says.
type image struct {
	bases       []string // of each stage
	build       string   // the command that builds the program, to /out/demo
	copies      [][]string
	user        string
	env         []string
	healthCheck []string
	entryPoint  []string
}

// theImage reads the Dockerfile of the demo.
func theImage() (image, error) {
	text, err := os.ReadFile(repository + "/cmd/demo/Dockerfile")
	if err != nil {
		return image{}, err
	}
	var i image
	joined := regexp.MustCompile(`(?m)^#.*\n|\\\n *`).ReplaceAllString(string(text), "")
	for line := range strings.Lines(joined) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = regexp.MustCompile(`^(?:--\S+ )*`).ReplaceAllString(rest, "")
		switch instruction {
		case "FROM":
			i.bases = append(i.bases, strings.Fields(rest)[0])
		case "RUN":
			i.build = rest
		case "COPY":
			i.copies = append(i.copies, strings.Fields(rest))
		case "USER":
			i.user = rest
		case "ENV":
			i.env = append(i.env, rest)
		case "HEALTHCHECK":
			err = json.Unmarshal([]byte(strings.TrimPrefix(rest, "CMD ")), &i.healthCheck)
		case "ENTRYPOINT":
			err = json.Unmarshal([]byte(rest), &i.entryPoint)
		}
		if err != nil {
			return i, err
		}
	}
	return i, nil
}

// The image has the program and certificates, and no user with a name. Its Go
// is that of go.mod.
func TestDockerfile(t *testing.T) { // field 4
	t.Parallel()
	i := must(theImage())(t)
	if len(i.bases) != 2 || !regexp.MustCompile(`^golang:\d+\.\d+$`).MatchString(i.bases[0]) || i.bases[1] != "scratch" {
		t.Errorf("the stages are of %q, want a pinned one and scratch", i.bases)
	}
	mod := must(os.ReadFile(repository + "/go.mod"))(t)
	if version := strings.TrimPrefix(i.bases[0], "golang:"); !strings.Contains(string(mod), "\ngo "+version+".") {
		t.Errorf("the image is built by Go %s, want that of go.mod", version)
	}
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(i.user) {
		t.Errorf("USER is %q, want two numbers that are not root's", i.user)
	}
}
