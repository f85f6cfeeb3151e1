package pdf

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// Producer is what the metadata name as the program.
const Producer = "DDCC gateway"

// writePages adds the pages with their contents and gives the page tree (ISO 32000-1 §7.7.3).
func (d *Document) writePages(f *file) (ref, error) {
	tree := f.reserve()
	var fonts strings.Builder
	for _, e := range d.fontOrder {
		fmt.Fprintf(&fonts, "/%s %s", e.name, e.object)
	}
	resources := f.add("<</Font<<" + fonts.String() + ">>>>")
	kids := make([]string, len(d.pages))
	for i, p := range d.pages {
		if err := p.check(); err != nil {
			return 0, err
		}
		content, err := f.addStream("", p.content)
		if err != nil {
			return 0, err
		}
		p.object = f.add(fmt.Sprintf("<</Type/Page/Parent %s/Resources %s/Contents %s/StructParents %d/Tabs/S>>",
			tree, resources, content, i))
		kids[i] = p.object.String()
	}
	f.write(tree, fmt.Sprintf("<</Type/Pages/MediaBox[0 0 %s %s]/Count %d/Kids[%s]>>",
		number(pageWidth), number(pageHeight), len(kids), strings.Join(kids, " ")))
	return tree, nil
}

// writeCatalog adds the structure, the metadata and the catalog (§7.7.2) and ends the file.
func (d *Document) writeCatalog(f *file, pages ref) []byte {
	structure := d.writeStructure(f)
	// Metadata stay uncompressed so that any tool can find them (§14.3.2).
	metadata := f.addRawStream("/Type/Metadata/Subtype/XML", d.xmp())
	direction := "L2R"
	if d.rightToLeft {
		direction = "R2L"
	}
	catalog := f.add(fmt.Sprintf("<</Type/Catalog/Version/1.7/Pages %s/StructTreeRoot %s/MarkInfo<</Marked true>>"+
		"/Lang(%s)/Metadata %s/ViewerPreferences<</DisplayDocTitle true/Direction/%s>>>>",
		pages, structure, safeTag(d.options.Language), metadata, direction))
	info := "<</Title" + textString(clean(d.options.Title)) + "/Producer(" + Producer + ")"
	if created := d.options.Created; !created.IsZero() {
		info += "/CreationDate(D:" + created.UTC().Format("20060102150405Z") + ")"
	}
	return f.finish(catalog, f.add(info+">>"))
}

// safeTag keeps of a language tag the characters of RFC 5646, none of which has a meaning in
// PDF or XML.
func safeTag(lang string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, lang)
}

// xmp is the metadata packet (ISO 16684-1) with the claim of PDF/UA-1 (ISO 14289-1 §5).
func (d *Document) xmp() []byte {
	var title strings.Builder
	if err := xml.EscapeText(&title, []byte(clean(d.options.Title))); err != nil {
		title.Reset() // a strings.Builder does not fail
	}
	lang, date := safeTag(d.options.Language), ""
	if created := d.options.Created; !created.IsZero() {
		date = `<xmp:CreateDate>` + created.UTC().Format(time.RFC3339) + `</xmp:CreateDate>`
	}
	return []byte("<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"` +
		` xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">` +
		`<pdfuaid:part>1</pdfuaid:part>` +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + title.String() + `</rdf:li></rdf:Alt></dc:title>` +
		`<dc:language><rdf:Bag><rdf:li>` + lang + `</rdf:li></rdf:Bag></dc:language>` +
		date + `<pdf:Producer>` + Producer + `</pdf:Producer>` +
		"</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>")
}
