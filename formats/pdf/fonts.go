package pdf

import (
	"embed"
	"fmt"
	"io"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
)

// The fonts and their licences; see fonts/README.md.
//
//go:embed fonts/*.ttf
var fontFiles embed.FS

// typeface is an embedded font. It is parsed when first used and read only from then on.
type typeface struct {
	name string // of the file
	load func() (*parsedFont, error)
}

type parsedFont struct {
	shaping *font.Font
	tables  *sfnt
}

func newTypeface(name string) *typeface {
	return &typeface{name: name, load: sync.OnceValues(func() (*parsedFont, error) { return parseFont(name) })}
}

// parseFont reads a font where it lies in the program, without a copy.
func parseFont(name string) (*parsedFont, error) {
	file, err := fontFiles.Open("fonts/" + name + ".ttf")
	if err != nil {
		return nil, fmt.Errorf("pdf: font: %w", err)
	}
	resource, ok := file.(interface {
		opentype.Resource
		io.ReaderAt
	})
	if !ok {
		return nil, fmt.Errorf("pdf: font %s cannot be read at an offset", name)
	}
	tables, err := openSFNT(resource)
	if err != nil {
		return nil, err
	}
	loader, err := opentype.NewLoader(resource)
	if err != nil {
		return nil, fmt.Errorf("pdf: font %s: %w", name, err)
	}
	shaped, err := font.NewFont(loader)
	if err != nil {
		return nil, fmt.Errorf("pdf: font %s: %w", name, err)
	}
	return &parsedFont{shaping: shaped, tables: tables}, nil
}

var (
	// baseFace sets Latin, Greek and Cyrillic and what no other font has.
	baseFace = newTypeface("NotoSans-Regular")
	// hanFace sets Han, kana, bopomofo.
	hanFace = newTypeface("DroidSansFallbackFull")
)

// scriptFaces says which font sets a script. A script that is not listed is set in
// baseFace.
var scriptFaces = map[language.Script]*typeface{
	language.Arabic:              newTypeface("NotoSansArabic-Regular"),
	language.Hebrew:              newTypeface("NotoSansHebrew-Regular"),
	language.Thaana:              newTypeface("NotoSansThaana-Regular"),
	language.Nko:                 newTypeface("NotoSansNKo-Regular"),
	language.Adlam:               newTypeface("NotoSansAdlam-Regular"),
	language.Devanagari:          newTypeface("NotoSansDevanagari-Regular"),
	language.Bengali:             newTypeface("NotoSansBengali-Regular"),
	language.Gujarati:            newTypeface("NotoSansGujarati-Regular"),
	language.Gurmukhi:            newTypeface("NotoSansGurmukhi-Regular"),
	language.Kannada:             newTypeface("NotoSansKannada-Regular"),
	language.Malayalam:           newTypeface("NotoSansMalayalam-Regular"),
	language.Oriya:               newTypeface("NotoSansOriya-Regular"),
	language.Sinhala:             newTypeface("NotoSansSinhala-Regular"),
	language.Tamil:               newTypeface("NotoSansTamil-Regular"),
	language.Telugu:              newTypeface("NotoSansTelugu-Regular"),
	language.Thai:                newTypeface("NotoSansThai-Regular"),
	language.Lao:                 newTypeface("NotoSansLao-Regular"),
	language.Khmer:               newTypeface("NotoSansKhmer-Regular"),
	language.Myanmar:             newTypeface("NotoSansMyanmar-Regular"),
	language.Tibetan:             newTypeface("NotoSerifTibetan-Regular"),
	language.Ethiopic:            newTypeface("NotoSansEthiopic-Regular"),
	language.Georgian:            newTypeface("NotoSansGeorgian-Regular"),
	language.Armenian:            newTypeface("NotoSansArmenian-Regular"),
	language.Tifinagh:            newTypeface("NotoSansTifinagh-Regular"),
	language.Cherokee:            newTypeface("NotoSansCherokee-Regular"),
	language.Canadian_Aboriginal: newTypeface("NotoSansCanadianAboriginal-Regular"),
	language.Ol_Chiki:            newTypeface("NotoSansOlChiki-Regular"),
	language.Meetei_Mayek:        newTypeface("NotoSansMeeteiMayek-Regular"),
	language.Han:                 hanFace,
	language.Hiragana:            hanFace,
	language.Katakana:            hanFace,
	language.Bopomofo:            hanFace,
	language.Hangul:              newTypeface("NanumSquareR"),
}
