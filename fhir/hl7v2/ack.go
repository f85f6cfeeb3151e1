package hl7v2

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Acknowledgement is what is said about a message (v2.5.1 §2.13).
type Acknowledgement struct {
	Code     string // MSA-1, table 0008: AA, AE, AR, CA, CE or CR
	At       time.Time
	Findings []Finding
}

// RuleSystem is the coding system of ERR-5.
const RuleSystem = "99DDCC"

// Acknowledge writes the acknowledgement of m, from its receiver to its sender, in its
// delimiters, version and character set. Its control id follows from the message and the
// answer: the same answer to the same message is the same message. A message whose header
// could not be read is answered in the standard's own delimiters, without naming it.
func Acknowledge(m Message, raw []byte, a Acknowledgement) []byte {
	s := syntax{Delimiters: Standard, charset: CharsetUTF8}
	if m.syntax != nil {
		s = *m.syntax
	}
	w := writer{syntax: s, header: m.Header}
	id := strings.ToUpper(hex.EncodeToString(digest(string(raw), a.Code)[:10]))
	w.msh(id, a.At)
	w.segment("MSA", a.Code, w.header.raw(10))
	for _, f := range a.Findings {
		w.finding(f)
	}
	return s.charset.encode(w.text.String())
}

// writer puts segments together.
type writer struct {
	syntax

	header Header
	text   strings.Builder
}

// raw gives a field of the header as it was sent; it has the same delimiters.
func (h Header) raw(field int) string {
	if n := field - 1; n < len(h.segment.fields) {
		return h.segment.fields[n]
	}
	return ""
}

// segment writes a segment of fields that are encoded already.
func (w *writer) segment(name string, fields ...string) {
	for len(fields) > 0 && fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	w.text.WriteString(name)
	for _, f := range fields {
		w.text.WriteByte(w.Field)
		w.text.WriteString(f)
	}
	w.text.WriteByte('\r')
}

// parts encodes a field of components.
func (w *writer) parts(texts ...string) string {
	for len(texts) > 0 && texts[len(texts)-1] == "" {
		texts = texts[:len(texts)-1]
	}
	encoded := make([]string, len(texts))
	for i, t := range texts {
		encoded[i] = w.escape(t)
	}
	return strings.Join(encoded, string(w.Component))
}

func (w *writer) msh(id string, at time.Time) {
	encoding := string([]byte{w.Component, w.Repetition, w.Escape, w.Subcomponent})
	if w.Truncation != 0 {
		encoding += string(w.Truncation)
	}
	h, structure := w.header, ""
	if h.Event != "" {
		structure = "ACK"
	}
	w.segment("MSH", encoding, h.raw(5), h.raw(6), h.raw(3), h.raw(4), at.UTC().Format("20060102150405")+"+0000", "",
		w.parts("ACK", h.Event, structure), id, first(h.raw(11), "P"), first(h.raw(12), "2.5.1"), "", "", "", "", "", w.escape(string(w.charset)))
}

// earlyVersions are those whose ERR has a code and location in one field (ERR-1).
var earlyVersions = map[string]bool{"2.3": true, "2.3.1": true, "2.4": true}

// finding writes an ERR segment.
func (w *writer) finding(f Finding) {
	code, eld, rule := w.parts(string(f.Code), codeTexts[f.Code], "HL70357"), "", ""
	if earlyVersions[w.header.Version] {
		eld = w.early(f)
	}
	if f.Rule != "" {
		rule = w.parts(f.Rule, "", RuleSystem)
	}
	w.segment("ERR", eld, w.location(f.At), code, severity(f.Severity), rule, "", w.escape(f.Fix), w.escape(f.Detail))
}

// early writes an ELD: segment, sequence, field and, as its subcomponents, the code.
func (w *writer) early(f Finding) string {
	at := []string{f.At.Segment, digitsOf(f.At.Sequence), digitsOf(f.At.Field)}
	code := []string{string(f.Code), w.escape(codeTexts[f.Code]), "HL70357"}
	return strings.Join(append(at, strings.Join(code, string(w.Subcomponent))), string(w.Component))
}

func digitsOf(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// location writes an ERL without the zeros at its end.
func (w *writer) location(l Location) string {
	texts := []string{l.Segment}
	for _, n := range []int{l.Sequence, l.Field, l.Repetition, l.Component, l.Subcomponent} {
		texts = append(texts, digitsOf(n))
	}
	if l.Field > 0 && l.Repetition == 0 {
		texts[3] = "1"
	}
	return w.parts(texts...)
}

// severity gives the code of table 0516.
func severity(s fault.Severity) string {
	switch s {
	case fault.SeverityWarning:
		return "W"
	case fault.SeverityInformation:
		return "I"
	case fault.SeverityError:
	}
	return "E"
}
