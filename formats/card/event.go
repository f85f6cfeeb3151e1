package card

import (
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/formats/pdf"
)

// row is a field: the key of its label and what it says.
type row struct{ key, value string }

// wide are the fields that have a line of their own, because they are long and must not
// be broken.
var wide = map[string]bool{"certificate": true}

// event is the part of the card about one event.
func (l labels) event(e Event) pdf.Block {
	heading, rows := l.test(e.Test)
	if e.Vaccination != nil {
		heading, rows = l.vaccination(e.Vaccination)
	}
	rows = append(rows,
		row{"validFrom", l.date(e.ValidFrom)}, row{"validUntil", l.date(e.ValidUntil)},
		row{"issuedAt", l.date(e.IssuedAt)}, row{"certificate", e.ID},
	)
	blocks := []pdf.Block{
		pdf.Space(6 * millimetre),
		pdf.Heading{Level: 2, Text: heading, Style: sectionStyle},
		pdf.Space(2 * millimetre),
	}
	codes := l.codes(e.Codes)
	if room := besideRoom(e.Codes); room > 0 {
		blocks = append(blocks, pdf.Beside{Table: l.table(room, 2, rows...), Figure: codes.Items[0]})
	} else {
		blocks = append(blocks, l.table(pdf.ContentWidth, 2, rows...), pdf.Space(4*millimetre), codes)
	}
	return pdf.Section{Blocks: blocks}
}

// besideRoom is the width of a table that leaves a lone code room beside it, so that a
// course of two doses is one page; 0 if that is too little.
func besideRoom(codes []Code) float64 {
	const least = 125 * millimetre
	if len(codes) != 1 {
		return 0
	}
	room := pdf.ContentWidth - max(captionWidth, float64(codes[0].Symbol.Size)*qrModule) - besideGap
	if room < least {
		return 0
	}
	return room
}

func (l labels) vaccination(v *Vaccination) (heading string, rows []row) {
	return title(l.word("vaccination"), l.dose(v), l.dayOf(v.Date)), []row{
		{"date", l.date(v.Date)}, {"vaccine", v.Vaccine},
		{"brand", v.Brand}, {"manufacturer", v.Manufacturer},
		{"lot", v.Lot}, {"disease", v.Disease},
		{"country", v.Country}, {"centre", v.Centre},
		{"practitioner", v.Practitioner}, {"nextDose", l.date(v.NextDose)},
	}
}

func (l labels) test(t *Test) (heading string, rows []row) {
	if t == nil {
		return "", nil
	}
	return title(l.word("test"), l.dayOf(t.SampledAt)), []row{
		{"sampledAt", l.date(t.SampledAt)}, {"result", t.Result},
		{"pathogen", t.Pathogen}, {"testType", t.Type},
		{"brand", t.Brand}, {"manufacturer", t.Manufacturer},
		{"origin", t.Origin}, {"country", t.Country}, {"centre", t.Centre},
	}
}

// title joins the parts of a heading that say something.
func title(parts ...string) string {
	said := parts[:0]
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, " · ")
}

func (l labels) dose(v *Vaccination) string {
	n, m := strconv.Itoa(v.Dose), strconv.Itoa(v.TotalDoses)
	switch {
	case v.Dose == 0:
		return ""
	case v.TotalDoses == 0:
		return l.fill("dose", "n", n)
	}
	return l.fill("doseOf", "n", n, "m", m)
}

// table shows fields that have a value, one or two a line.
func (l labels) table(width float64, perLine int, fields ...row) pdf.Table {
	pair := width / float64(perLine)
	label := min(pair*labelShare, pdf.ContentWidth/2*labelShare)
	var t pdf.Table
	for range perLine {
		t.Columns = append(t.Columns, label, pair-label)
	}
	var line []pdf.Cell
	finish := func() {
		if missing := len(t.Columns) - len(line); len(line) > 0 && missing > 0 {
			line[1].Span = 1 + missing
		}
		if len(line) > 0 {
			t.Rows, line = append(t.Rows, line), nil
		}
	}
	for _, f := range fields {
		if f.value == "" {
			continue
		}
		if wide[f.key] {
			finish()
		}
		line = append(line, pdf.Cell{Text: l.word(f.key), Header: true, Style: labelStyle}, pdf.Cell{Text: f.value, Style: valueStyle})
		if wide[f.key] || len(line) == len(t.Columns) {
			finish()
		}
	}
	finish()
	return t
}

// codes shows the QR codes side by side.
func (l labels) codes(codes []Code) pdf.Figures {
	figures := pdf.Figures{Gap: qrGap}
	for _, c := range codes {
		name, known := formatNames[c.Format]
		if !known {
			name = c.Format
		}
		figures.Items = append(figures.Items, pdf.Figure{
			Drawing: matrix(c.Symbol, qrModule), Alternate: l.fill("code", "format", name),
			Caption: name, Style: captionStyle, MinWidth: captionWidth,
		})
	}
	return figures
}
