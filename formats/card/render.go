package card

import (
	"fmt"
	"strconv"

	"github.com/boombuler/barcode/code128"

	"github.com/trustedparty/ddcc-gateway/formats/pdf"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

// Sizes on paper, in points.
const (
	millimetre = 72 / 25.4

	qrModule      = 0.42 * millimetre // five dots of a printer with 300 dpi
	qrGap         = 8 * millimetre
	captionWidth  = 40 * millimetre
	barcodeModule = 0.33 * millimetre // the usual one of Code 128
	barcodeHeight = 11 * millimetre
	besideGap     = 5 * millimetre
	labelShare    = 0.37 // of the width of a label and its value
)

var (
	titleStyle     = pdf.Style{Size: 20, MinSize: 12, MaxLines: 2, Bold: true}
	authorityStyle = pdf.Style{Size: 12, MinSize: 8, MaxLines: 2, Grey: 0.25}
	sectionStyle   = pdf.Style{Size: 13, MinSize: 9, MaxLines: 2, Bold: true}
	labelStyle     = pdf.Style{Size: 8.5, MinSize: 6.5, MaxLines: 2, Grey: 0.35}
	valueStyle     = pdf.Style{Size: 10, MinSize: 7.5, MaxLines: 3}
	captionStyle   = pdf.Style{Size: 8, MinSize: 6.5, MaxLines: 2, Grey: 0.25}
	hintStyle      = pdf.Style{Size: 8.5, Grey: 0.35}
)

// formatNames are names of certificates, which are the same in every language.
var formatNames = map[string]string{
	"who":          "WHO DDCC",
	"dcc":          "EU Digital COVID Certificate",
	"dcc-recovery": "EU Digital COVID Certificate (recovery)",
	"shc":          "SMART Health Card",
	"vdsnc":        "ICAO VDS-NC",
	"icvp":         "WHO ICVP",
}

// PDF writes the card. It fails with a fault of kind Rule that lists every field that is
// wrong; fields keep their values to themselves.
func PDF(c Card, o Options) ([]byte, []Warning, error) {
	if err := c.check(); err != nil {
		return nil, nil, err
	}
	words, err := labelsFor(c.Language)
	if err != nil {
		return nil, nil, err
	}
	doc, err := pdf.New(pdf.Options{
		Title: words.word("title"), Language: words.tag, Created: o.Now,
		Header: words.word("title") + " · " + words.isolate(c.HCID), Footer: words.pageNumber,
	})
	if err != nil {
		return nil, nil, err
	}
	front, err := words.front(c)
	if err != nil {
		return nil, nil, err
	}
	if err := doc.Add(front...); err != nil {
		return nil, nil, err
	}
	for _, e := range c.Events {
		if err := doc.Add(words.event(e)); err != nil {
			return nil, nil, err
		}
	}
	data, err := doc.Bytes()
	return data, doc.Warnings(), err
}

// QROnly writes a page with one QR code, large, with a caption of at most MaxText
// characters. The language is that of the title.
func QROnly(symbol *qr.Symbol, caption, language string) ([]byte, error) {
	var found findings
	found.text("caption", caption)
	if symbol == nil {
		found.add("symbol", "card-required", "is missing", "encode the text of the certificate first")
	}
	if err := found.fault(); err != nil {
		return nil, err
	}
	words, err := labelsFor(language)
	if err != nil {
		return nil, err
	}
	doc, err := pdf.New(pdf.Options{Title: words.word("title"), Language: words.tag})
	if err != nil {
		return nil, err
	}
	title, text := titleStyle, valueStyle
	title.Centred, text.Centred = true, true
	err = doc.Add(
		pdf.Space(20*millimetre), pdf.Heading{Level: 1, Text: words.word("title"), Style: title}, pdf.Space(10*millimetre),
		pdf.Figures{Items: []pdf.Figure{{
			Drawing:   matrix(symbol, largeModule(symbol)),
			Alternate: words.fill("code", "format", words.word("title")),
			Caption:   caption, Style: text, MinWidth: pdf.ContentWidth,
		}}},
	)
	if err != nil {
		return nil, err
	}
	return doc.Bytes()
}

// largeModule gives a code up to the width of a hand.
func largeModule(symbol *qr.Symbol) float64 {
	const widest, largest = 120 * millimetre, 1.2 * millimetre
	return min(largest, widest/float64(symbol.Size))
}

func matrix(symbol *qr.Symbol, module float64) pdf.Matrix {
	return pdf.Matrix{Size: symbol.Size, Black: symbol.Black, Module: module}
}

func (l labels) pageNumber(page, pages int) string {
	return l.fill("page", "n", strconv.Itoa(page), "m", strconv.Itoa(pages))
}

// front is what stands above the events.
func (l labels) front(c Card) ([]pdf.Block, error) {
	barcode, err := l.barcode(c.HCID)
	if err != nil {
		return nil, err
	}
	holder := pdf.Section{Blocks: []pdf.Block{
		pdf.Heading{Level: 2, Text: l.word("holder"), Style: sectionStyle},
		pdf.Space(2 * millimetre),
	}}
	holder.Blocks = append(holder.Blocks, l.holder(c.Holder, barcode)...)
	return []pdf.Block{
		pdf.Heading{Level: 1, Text: l.word("title"), Style: titleStyle},
		pdf.Paragraph{Text: c.Authority, Style: authorityStyle},
		pdf.Space(3 * millimetre),
		pdf.Paragraph{Text: l.word("hint"), Style: hintStyle},
		pdf.Space(5 * millimetre),
		holder,
	}, nil
}

// holder shows who the card is of, with the barcode beside it while that is short enough:
// a dose in four formats then has room on the same page.
func (l labels) holder(h Holder, barcode pdf.Figure) []pdf.Block {
	const least = 95 * millimetre
	rows := []row{{"name", h.Name}, {"birthDate", l.date(h.BirthDate)}, {"sex", l.word(h.Sex)}, {"identifier", h.Identifier}}
	if room := pdf.ContentWidth - barcode.MinWidth - besideGap; room >= least {
		return []pdf.Block{pdf.Beside{Table: l.table(room, 1, rows...), Figure: barcode}}
	}
	barcode.MinWidth = pdf.ContentWidth // for its caption
	return []pdf.Block{l.table(pdf.ContentWidth, 2, rows...), pdf.Space(4 * millimetre), pdf.Figures{Items: []pdf.Figure{barcode}}}
}

// barcode shows the HCID as a Code 128 symbol (ISO/IEC 15417) with its text.
func (l labels) barcode(hcid string) (pdf.Figure, error) {
	symbol, err := code128.Encode(hcid)
	if err != nil { // check has let only what Code 128 has
		return pdf.Figure{}, fmt.Errorf("card: barcode: %w", err)
	}
	dark := make([]bool, symbol.Bounds().Dx())
	for x := range dark {
		r, _, _, _ := symbol.At(x, 0).RGBA()
		dark[x] = r == 0
	}
	module := min(barcodeModule, pdf.ContentWidth/float64(len(dark)))
	return pdf.Figure{
		Drawing:   pdf.Bars{Dark: dark, Module: module, Height: barcodeHeight},
		Alternate: l.word("barcode"), Caption: l.fill("hcid", "id", l.isolate(hcid)), Style: captionStyle,
		MinWidth: max(captionWidth, float64(len(dark))*module),
	}, nil
}
