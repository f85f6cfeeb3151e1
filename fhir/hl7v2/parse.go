package hl7v2

import (
	"bytes"
	"strings"
)

// Limits of a message. A vaccination update with a life's history has some hundred segments.
const (
	MaxMessage     = 512 << 10 // bytes
	MaxSegments    = 2000
	maxFields      = 200      // of a segment
	maxRepetitions = 200      // of a field
	maxField       = 64 << 10 // bytes of a field
)

// Parse reads one message. Segments end with CR, as the standard says; messages whose lines
// end with LF or CR LF are read, too. A message with errors among its findings must not be
// processed; its Header says as much as could be read, for the acknowledgement.
func Parse(raw []byte) (Message, []Finding) {
	p := parser{}
	p.parse(raw)
	return p.message, p.findings
}

type parser struct {
	message  Message
	syntax   syntax
	findings []Finding
	counts   map[string]int
}

func (p *parser) report(f Finding) {
	if len(p.findings) < maxFindings {
		p.findings = append(p.findings, f)
	}
}

// header is where findings about the message as a whole point.
func header(field int) Location { return Location{Segment: "MSH", Sequence: 1, Field: field} }

func (p *parser) parse(raw []byte) {
	if len(raw) > MaxMessage {
		p.report(NewFinding(Location{}, CodeTooLong, RuleLimit, "The message is larger than 512 KiB.", "Send the events in several messages."))
		raw = raw[:MaxMessage]
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	lines := split(raw)
	if len(lines) == 0 {
		lines = [][]byte{nil}
	}
	if !p.delimiters(lines[0]) {
		return
	}
	p.charset(lines[0])
	if len(lines) > MaxSegments {
		p.report(NewFinding(Location{}, CodeTooLong, RuleLimit, "The message has more than 2000 segments.", "Send the events in several messages."))
		lines = lines[:1]
	}
	p.counts = map[string]int{}
	for _, line := range lines {
		p.segment(line)
	}
	if len(p.message.Segments) > 0 && p.message.Segments[0].Name == "MSH" {
		p.message.Header = headerOf(p.message.Segments[0])
	}
}

// split cuts a message into lines. Where there is a CR, an LF alone is part of a text, and
// no character of any.
func split(raw []byte) [][]byte {
	separator := []byte{'\n'}
	if bytes.IndexByte(raw, '\r') >= 0 {
		separator = []byte{'\r'}
	}
	var lines [][]byte
	for line := range bytes.SplitSeq(raw, separator) {
		if line = bytes.TrimPrefix(line, []byte{'\n'}); len(line) > 0 {
			lines = append(lines, line)
		}
		if len(lines) > MaxSegments {
			break
		}
	}
	return lines
}

// delimiters reads MSH-1 and MSH-2.
func (p *parser) delimiters(msh []byte) bool {
	name := string(msh[:min(3, len(msh))])
	switch {
	case name == "FHS" || name == "BHS":
		p.report(NewFinding(Location{Segment: name, Sequence: 1}, CodeMessageType, RuleStructure, "Batches of messages are not taken.", "Send each message by itself."))
		return false
	case name != "MSH" || len(msh) < 8:
		p.report(NewFinding(Location{}, CodeSequence, RuleSyntax, "The message does not begin with a header.", "Send an HL7 v2 message in ER7, from MSH on."))
		return false
	}
	d := Delimiters{Field: msh[3]}
	encoding, _, found := bytes.Cut(msh[4:], msh[3:4])
	if found && (len(encoding) == 4 || len(encoding) == 5) {
		d.Component, d.Repetition, d.Escape, d.Subcomponent = encoding[0], encoding[1], encoding[2], encoding[3]
		if len(encoding) == 5 {
			d.Truncation = encoding[4]
		}
	}
	if !d.usable() {
		p.report(NewFinding(header(2), CodeDataType, RuleSyntax, "The delimiters of MSH-1 and MSH-2 cannot be used.",
			`Send a field separator and four or five other encoding characters, such as |^~\&.`))
		return false
	}
	p.syntax.Delimiters = d
	return true
}

// usable reports different characters that cannot be part of a name, number or quotation.
func (d Delimiters) usable() bool {
	all := []byte{d.Field, d.Component, d.Repetition, d.Escape, d.Subcomponent}
	if d.Truncation != 0 {
		all = append(all, d.Truncation)
	}
	for i, c := range all {
		if c <= ' ' || c > '~' || bytes.IndexByte(all[:i], c) >= 0 || strings.IndexByte(`".+-`, c) >= 0 || word(c) {
			return false
		}
	}
	return true
}

func word(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// charset reads the first repetition of MSH-18; the others need escape sequences that are
// refused where they occur.
func (p *parser) charset(msh []byte) {
	fields := bytes.Split(msh, []byte{p.syntax.Field})
	name := ""
	if len(fields) > 17 {
		first, _, _ := bytes.Cut(fields[17], []byte{p.syntax.Repetition})
		name, _ = p.syntax.unescape(strings.TrimSpace(string(first)))
	}
	charset, ok := charsetOf(name)
	if !ok {
		p.report(NewFinding(header(18), CodeTable, RuleCharset, "The character set is not one that is read here.", "Send UNICODE UTF-8, 8859/1 or ASCII, or nothing for UTF-8."))
		charset = CharsetLatin1 // every byte is a character of it, so the header can be read
	}
	p.syntax.charset, p.message.Charset, p.message.syntax = charset, charset, &p.syntax
}

func (p *parser) segment(line []byte) {
	if len(line) < 3 || !segmentName(line[:3]) || len(line) > 3 && line[3] != p.syntax.Field {
		p.report(NewFinding(Location{Segment: "MSH", Sequence: 1}, CodeSequence, RuleSyntax, "A line does not begin with the name of a segment.",
			"End each segment with CR and write line breaks in texts as \\.br\\."))
		return
	}
	name := string(line[:3])
	p.counts[name]++
	s := Segment{Name: name, Sequence: p.counts[name], syntax: &p.syntax}
	text, ok := p.syntax.charset.decode(line)
	if !ok {
		p.report(NewFinding(s.At(0), CodeDataType, RuleCharacter, "The segment has bytes that are no characters of the message's character set.", "Send the message in the character set that MSH-18 names."))
		return
	}
	s.fields = strings.Split(text, string(p.syntax.Field))[1:]
	if name == "MSH" {
		s.fields = append([]string{string(p.syntax.Field)}, s.fields...)
	}
	if name == "MSH" && s.Sequence > 1 {
		p.report(NewFinding(s.At(0), CodeSequence, RuleStructure, "There is a second header.", "Send each message by itself."))
		return
	}
	if len(s.fields) > maxFields {
		p.report(NewFinding(s.At(0), CodeTooLong, RuleLimit, "The segment has more than 200 fields.", "Send the fields that the standard knows."))
		s.fields = s.fields[:maxFields]
	}
	for n := range s.fields {
		p.field(s, n+1)
	}
	p.message.Segments = append(p.message.Segments, s)
}

// segmentName reports three capitals or digits that begin with a capital.
func segmentName(name []byte) bool {
	for i, c := range name {
		if (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// field checks what Value relies on. A field that fails is emptied: the message is refused.
func (p *parser) field(s Segment, n int) {
	text := s.fields[n-1]
	if s.Name == "MSH" && n <= 2 {
		return
	}
	bad := func(code Code, rule, detail, fix string) {
		p.report(NewFinding(s.At(n), code, rule, detail, fix))
		s.fields[n-1] = ""
	}
	if len(text) > maxField || strings.Count(text, string(p.syntax.Repetition)) >= maxRepetitions {
		bad(CodeTooLong, RuleLimit, "The field is longer than 64 KiB or has more than 200 repetitions.", "Send less.")
		return
	}
	if !harmless(text) || strings.ContainsAny(text, "\n") {
		bad(CodeDataType, RuleCharacter, "The field has control characters.", `Write line breaks as \.br\ and other control characters not at all.`)
		return
	}
	if !p.escapes(text) {
		bad(CodeDataType, RuleEscape, "The field has an escape sequence that is not read here, or an escape character by itself.", `Write the escape character as \E\, and characters of other sets in UTF-8.`)
	}
}

// escapes reports that every part of the field can be unescaped.
func (p *parser) escapes(text string) bool {
	if strings.IndexByte(text, p.syntax.Escape) < 0 {
		return true
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return r == rune(p.syntax.Repetition) || r == rune(p.syntax.Component) || r == rune(p.syntax.Subcomponent)
	}) {
		if _, ok := p.syntax.unescape(part); !ok {
			return false
		}
	}
	return true
}
