package service

import (
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// match holds what a certificate states against its event. Where both say something they
// have to agree: the certificate may say less, never more or other.
type match struct {
	content map[string]any // of the event's DDCC, as the reader gave it
	event   any            // its vaccination or test
	issues  []fault.Issue
}

// against compares claims that hold exactly one event with the content of its DDCC.
func against(content map[string]any, c signing.Claims) []fault.Issue {
	m := match{content: content, event: dig(content, "vaccination")}
	if m.event == nil {
		m.event = dig(content, "test")
	}
	switch {
	case c.DCC != nil:
		m.certificate(*c.DCC)
	case c.ICVP != nil:
		m.yellowCard(*c.ICVP)
	case c.SHC != nil:
		m.healthCard(*c.SHC)
	case c.VDSNC != nil:
		m.seal(*c.VDSNC)
	}
	return m.issues
}

// must records an issue unless the two agree.
func (m *match) must(path string, agree bool) {
	if !agree {
		m.issues = append(m.issues, eventIssue(path, "It differs from the WHO DDCC of the event.", "State the event as it was certified."))
	}
}

// same compares what is written alike in both formats.
func (m *match) same(path string, stated any, member string) {
	said := dig(m.event, member)
	if stated == "" || said == nil {
		return // one of them does not say
	}
	m.must(path, alike(stated, said))
}

// birth compares the birth date. It tells people of one name apart, so a certificate has
// none that its event has not.
func (m *match) birth(path, stated string) {
	m.must(path, stated == "" || coarser(stated, textOf(m.content["birthDate"])))
}

// when compares the time of the event, which every certificate has to state.
func (m *match) when(path, stated string) {
	if stated == "" {
		m.issues = append(m.issues, eventIssue("claims", "The certificate does not say when the event was.", "State its date."))
		return
	}
	m.must(path, sameTime(stated, textOf(dig(m.event, "date"))))
}

// country compares codes of ISO 3166-1, in whichever form a format has them.
func (m *match) country(path, stated string) {
	said := textOf(dig(m.event, "country", "code"))
	if stated == "" || said == "" {
		return
	}
	known, ok := terminology.CountryByCode(said)
	m.must(path, stated == said || ok && (stated == known.Alpha2 || stated == known.Alpha3))
}

// sameTime compares times of an event. Two instants are compared as such, whatever their
// zones; a date is compared with the calendar day as it was noted. The certificate may be
// coarser than the event, never finer.
func sameTime(stated, event string) bool {
	a, exact := time.Parse(time.RFC3339, stated)
	b, exactly := time.Parse(time.RFC3339, event)
	if exact == nil && exactly == nil {
		return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) // some formats have no fractions
	}
	return coarser(stated, event)
}

// coarser reports whether a is b, or a date of which b is part.
func coarser(a, b string) bool {
	rest, ok := strings.CutPrefix(b, a)
	const year, month, day = len("2006"), len("2006-01"), len("2006-01-02")
	switch len(a) {
	case year, month:
		return ok && (rest == "" || rest[0] == '-')
	case day:
		return ok && (rest == "" || rest[0] == 'T')
	}
	return a == b
}
