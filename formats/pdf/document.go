package pdf

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/text/language"
)

// Options are what holds for a whole document.
type Options struct {
	// Title is shown by readers and stands in the metadata: it must hold nothing personal.
	Title string
	// Language of the document (BCP 47). Its script decides whether pages are laid out
	// from right to left.
	Language string
	// Created is the time of creation, the only time in the file; zero is none.
	Created time.Time
	// Header is repeated at the top of each page but the first, as an artifact.
	Header string
	// Footer gives the line at the bottom of a page; nil is none.
	Footer func(page, pages int) string
}

// Document is a document in the making. It is used by one goroutine.
type Document struct {
	options     Options
	rightToLeft bool
	pages       []*page
	page        *page   // the last one
	top         float64 // upper edge of what is free on it
	start       float64 // and what that was when it was empty
	root        *element
	parent      *element // of the next block
	fonts       map[*typeface]*embeddedFont
	fontOrder   []*embeddedFont
	missing     map[string]int
	headerText  *paragraph
}

// Warning says that characters were drawn as boxes because no font has them. It names
// their code block, not the characters, for they may be part of a name.
type Warning struct {
	Block string // 128 code points, such as "U+10A00-10A7F"
	Count int
}

// New starts a document with an empty page. It fails only if an embedded font does.
func New(o Options) (*Document, error) {
	d := &Document{
		options: o, rightToLeft: RightToLeft(o.Language), root: &element{role: roleDocument},
		fonts: map[*typeface]*embeddedFont{}, missing: map[string]int{},
	}
	d.parent = d.root
	if err := d.setHeader(); err != nil {
		return nil, err
	}
	return d, d.newPage()
}

// RightToLeft reports whether the language is written from right to left.
func RightToLeft(lang string) bool {
	tag, err := language.Parse(lang)
	if err != nil {
		return false
	}
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Thaa", "Nkoo", "Adlm", "Syrc", "Rohg":
		return true
	}
	return false
}

// Warnings lists the characters without a font, by block.
func (d *Document) Warnings() []Warning {
	warnings := make([]Warning, 0, len(d.missing))
	for _, block := range slices.Sorted(maps.Keys(d.missing)) {
		warnings = append(warnings, Warning{Block: block, Count: d.missing[block]})
	}
	return warnings
}

func (d *Document) warn(missing []rune) {
	const blockSize = 128
	for _, r := range missing {
		start := r &^ (blockSize - 1)
		d.missing[fmt.Sprintf("U+%04X-%04X", start, start+blockSize-1)]++
	}
}

func (d *Document) font(face *typeface) (*embeddedFont, error) {
	if e, ok := d.fonts[face]; ok {
		return e, nil
	}
	e, err := newEmbeddedFont(face, len(d.fontOrder)+1)
	if err != nil {
		return nil, err
	}
	d.fonts[face] = e
	d.fontOrder = append(d.fontOrder, e)
	return e, nil
}

var runningStyle = Style{Size: 8, MinSize: 5, MaxLines: 1, Grey: 0.3}

const maxHeaderLines = 2

func (d *Document) setHeader() (err error) {
	d.headerText, err = d.set(d.options.Header, runningStyle, ContentWidth)
	return err
}

// newPage starts a page; from the second on it has the running header.
func (d *Document) newPage() error {
	defer func() { d.start = d.top }()
	d.page = &page{}
	d.pages = append(d.pages, d.page)
	d.top = pageHeight - marginTop
	if len(d.pages) == 1 || len(d.headerText.lines) == 0 {
		return nil
	}
	if err := d.running(d.headerText, &d.top); err != nil {
		return err
	}
	const gap = 2 * millimetre
	d.top -= gap
	d.page.rule(marginSide, d.top, ContentWidth, 0.7)
	d.top -= 2 * gap
	return nil
}

// running draws the first lines of a header or footer as an artifact.
func (d *Document) running(p *paragraph, top *float64) error {
	return d.page.artifact(func() (err error) {
		*top, err = d.drawLines(p, min(len(p.lines), maxHeaderLines), marginSide, ContentWidth, *top)
		return err
	})
}

// free is the height left on the page.
func (d *Document) free() float64 { return d.top - marginBottom }

// fresh reports whether the page is empty.
func (d *Document) fresh() bool { return d.top == d.start }

// Bytes finishes the document and gives the file. Nothing may be added afterwards.
func (d *Document) Bytes() ([]byte, error) {
	if err := d.footers(); err != nil {
		return nil, err
	}
	f := newFile()
	for _, e := range d.fontOrder {
		e.object = f.reserve()
	}
	pages, err := d.writePages(f)
	if err != nil {
		return nil, err
	}
	for _, e := range d.fontOrder {
		if err := e.write(f); err != nil {
			return nil, err
		}
	}
	return d.writeCatalog(f, pages), nil
}

func (d *Document) footers() error {
	if d.options.Footer == nil {
		return nil
	}
	style := runningStyle
	style.Centred = true
	for i, p := range d.pages {
		text, err := d.set(d.options.Footer(i+1, len(d.pages)), style, ContentWidth)
		if err != nil {
			return err
		}
		d.page = p
		top := marginBottom - 3*millimetre
		if err := d.running(text, &top); err != nil {
			return err
		}
	}
	return nil
}
