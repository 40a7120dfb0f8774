package records

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Preview is the beginning of a text as one printable line: at most 200
// characters, then an ellipsis; what a terminal might act on is escaped as in Go
// (\n, \t, \u001b), and so is a backslash.
func Preview(text []byte) string {
	var b strings.Builder
	n := 0
	for len(text) > 0 {
		if n++; n > previewRunes {
			b.WriteString("…")
			break
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\\':
			b.WriteString(`\\`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.String()
}
