package httpx

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"regexp"
	"strings"
)

const (
	maxNesting  = 3       // encodings around each other, such as JSON in a form in base64
	maxDecoded  = 2 << 10 // bytes of a text that are decoded, far more than an error shows
	minEncoded  = 4       // bytes of a secret: a shorter one is in decoded words by chance
	tellingPart = 16      // bytes of a secret's start that reveal it, also if the rest is cut off
)

// reveals reports whether text has the start of a secret, in any nesting of the
// encodings.
func reveals(text string, secrets []string) bool {
	var starts []string
	for _, secret := range secrets {
		if secret = printable(secret); len(secret) >= minEncoded {
			starts = append(starts, secret[:min(len(secret), tellingPart)])
		}
	}
	return len(starts) > 0 && revealsIn(text[:min(len(text), maxDecoded)], starts, maxNesting)
}

func revealsIn(text string, starts []string, nesting int) bool {
	for _, start := range starts {
		if strings.Contains(text, start) {
			return true
		}
	}
	if nesting == 0 {
		return false
	}
	for _, decode := range encodings {
		if decoded := printable(decode(text)); decoded != text && revealsIn(decoded, starts, nesting-1) {
			return true
		}
	}
	return false
}

// encodings decode what they find of an encoding in a text.
var encodings = []func(string) string{
	func(text string) string { return percentEncoded.ReplaceAllStringFunc(text, decodeByte) },
	func(text string) string { return strings.ReplaceAll(text, "+", " ") }, // of a form
	html.UnescapeString,
	func(text string) string {
		return backslashes.Replace(jsonEscapes.ReplaceAllStringFunc(text, decodeJSON))
	},
	func(text string) string { return decodeRuns(text, inBase64, 4, decodeBase64) },
	func(text string) string { return decodeRuns(text, inHex, 2, decodeHex) },
}

var (
	percentEncoded = regexp.MustCompile(`(?:%|\\x)[0-9a-fA-F]{2}`)
	jsonEscapes    = regexp.MustCompile(`(?:[\\%]u[0-9a-fA-F]{4})+`) // several make one character; %u is JavaScript's
	backslashes    = strings.NewReplacer(`\\`, `\`, `\/`, `/`, `\"`, `"`, `\'`, `'`, `\n`, "", `\r`, "")
	fromBase64URL  = strings.NewReplacer("-", "+", "_", "/")
	inBase64       = regexp.MustCompile(`[A-Za-z0-9+/_-]{6,}`)
	inHex          = regexp.MustCompile(`[0-9a-fA-F]{8,}`)
)

// decodeRuns decodes each run of the characters of an encoding, from each of
// the places where a group of them may begin: other text may come before it.
func decodeRuns(text string, runs *regexp.Regexp, group int, decode func(string) []byte) string {
	var all strings.Builder
	for _, run := range runs.FindAllString(text, -1) {
		for at := range group {
			all.Write(decode(run[at:]))
			all.WriteByte(' ')
		}
	}
	return all.String()
}

// decodeBase64 decodes either alphabet, without a rest that is no byte.
func decodeBase64(run string) []byte {
	run = fromBase64URL.Replace(run)
	if len(run)%4 == 1 {
		run = run[:len(run)-1]
	}
	raw, _ := base64.RawStdEncoding.DecodeString(run) // what comes before an error counts
	return raw
}

func decodeHex(run string) []byte {
	raw, _ := hex.DecodeString(run) // as decodeBase64
	return raw
}

func decodeByte(encoded string) string { return string(decodeHex(encoded[len(encoded)-2:])) }

func decodeJSON(escapes string) string {
	var text string
	_ = json.Unmarshal([]byte(`"`+strings.ReplaceAll(escapes, "%", `\`)+`"`), &text) // the pattern is valid JSON
	return text
}
