package protocol

import (
	"fmt"
	"slices"
	"strings"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
	"github.com/ipfs/go-cid"
)

// CheckLicence says what a licence must be: the CID of a text, or an SPDX licence
// expression (SPDX 2.3, annex D) of identifiers on the SPDX list, written as there. A
// LicenseRef names a text that nobody could find, so it is none.
func CheckLicence(licence string) error {
	if licence == "" {
		return fmt.Errorf("%w: no licence: give an SPDX expression such as CC-BY-4.0, or the CID of a text", ErrDocument)
	}
	if len(licence) > defaultString {
		return fmt.Errorf("%w: a licence of %d bytes, at most %d: give the CID of a text", ErrDocument, len(licence), defaultString)
	}
	if _, err := cid.Decode(licence); err == nil {
		return nil
	}
	// The library's lists are used and its parser is not, which ends the program on
	// an expression such as "MIT OR".
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(licence))
	e := expression{words: words}
	if err := e.alternatives(); err != nil {
		return fmt.Errorf("%w: licence %q: %w (https://spdx.org/licenses, or give the CID of a text)", ErrDocument, licence, err)
	}
	if e.at < len(e.words) {
		return fmt.Errorf("%w: licence %q: %q cannot stand there", ErrDocument, licence, e.words[e.at])
	}
	return nil
}

// expression reads SPDX expressions. Its depth is bounded by the licence's length.
type expression struct {
	words []string
	at    int
}

func (e *expression) take(word string) bool {
	if e.at < len(e.words) && e.words[e.at] == word {
		e.at++
		return true
	}
	return false
}

// alternatives are terms joined by OR, which binds least.
func (e *expression) alternatives() error {
	for {
		if err := e.conjunction(); err != nil || !e.take("OR") {
			return err
		}
	}
}

func (e *expression) conjunction() error {
	for {
		if err := e.term(); err != nil || !e.take("AND") {
			return err
		}
	}
}

func (e *expression) term() error {
	if e.take("(") {
		if err := e.alternatives(); err != nil {
			return err
		}
		if !e.take(")") {
			return fmt.Errorf("%w: a bracket is not closed", ErrDocument)
		}
		return nil
	}
	if e.at == len(e.words) {
		return fmt.Errorf("%w: the expression ends early", ErrDocument)
	}
	id := e.words[e.at]
	e.at++
	plain := strings.TrimSuffix(id, "+")
	if !slices.Contains(spdxlicenses.GetLicenses(), plain) && !slices.Contains(spdxlicenses.GetDeprecated(), plain) {
		return fmt.Errorf("%w: %q is not on the SPDX list", ErrDocument, id)
	}
	if !e.take("WITH") {
		return nil
	}
	if e.at == len(e.words) || !slices.Contains(spdxlicenses.GetExceptions(), e.words[e.at]) {
		return fmt.Errorf("%w: WITH wants an exception on the SPDX list", ErrDocument)
	}
	e.at++
	return nil
}
