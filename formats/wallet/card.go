package wallet

import (
	"fmt"
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Card is what a pass says. Texts are for people, in the language of the card.
type Card struct {
	ID        string    // of the certificate; a phone replaces a pass with the same id
	Format    string    // of Text: who, dcc, dcc-recovery, icvp or shc
	Text      string    // of the QR code: HC1:… or shc:/…
	Name      string    // of the holder
	BirthDate string    // FHIR date; leave it empty unless the holder asked for it to be shown
	Title     string    // what is certified, e.g. the kind of event
	Issuer    string    // authority that issued the certificate
	IssuedAt  time.Time // zero: not shown
	ExpiresAt time.Time // zero: the certificate does not expire
	Language  string    // BCP 47; empty is English
	Rows      []Row     // further lines, for Apple's back side alone
}

// Row is a line on the back of a pass.
type Row struct{ Label, Value string }

// Bounds of a card.
const (
	MaxText = 2395 // characters of a certificate text: the longest shc:/ in one QR code
	MaxLine = 200  // characters of any other text
	MaxRows = 10
)

// prefixes has the beginning of the text of each format that fits the code of a pass.
var prefixes = map[string]string{"who": "HC1:", "dcc": "HC1:", "dcc-recovery": "HC1:", "icvp": "HC1:", "shc": "shc:/"}

// The characters of an id that Apple and Google both take, of Base45 (RFC 9285 §3), of the
// digits of a SMART Health Card, and of a FHIR date (R4 §2.24.0.1).
var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	hc1Form   = regexp.MustCompile(`^HC1:[0-9A-Z $%*+./:-]+$`)
	shcForm   = regexp.MustCompile(`^shc:/(?:[0-9]{2})+$`)
	birthForm = regexp.MustCompile(`^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?$`)
)

// check lists what keeps a card from being a pass at the time given.
func (c *Card) check(now time.Time) error {
	var found findings
	if !idForm.MatchString(c.ID) {
		found.add("id", "wallet-id", "is not 1 to 64 ASCII letters, digits, points, hyphens and underscores", "give the id of the certificate in the gateway")
	}
	found.code(c.Format, c.Text)
	found.line("name", c.Name)
	found.line("title", c.Title)
	found.line("issuer", c.Issuer)
	if c.BirthDate != "" && !birthForm.MatchString(c.BirthDate) {
		found.add("birthDate", "wallet-birth-date", "is not a FHIR date", "write YYYY, YYYY-MM or YYYY-MM-DD, or leave it out")
	}
	if !c.ExpiresAt.IsZero() && !c.ExpiresAt.After(now) {
		found.add("expiresAt", "wallet-expired", "is in the past", "renew the certificate first")
	}
	if _, err := language.Parse(c.Language); c.Language != "" && err != nil {
		found.add("language", "wallet-language", "is not a language tag", "write a tag of BCP 47, e.g. en or pt-BR")
	}
	if len(c.Rows) > MaxRows {
		found.add("rows", "wallet-rows", "has more than 10 entries", "leave some out")
		return found.fault()
	}
	for i, r := range c.Rows {
		at := fmt.Sprintf("rows[%d].", i)
		found.line(at+"label", r.Label)
		found.line(at+"value", r.Value)
	}
	return found.fault()
}

// language is the tag of the card, canonical.
func (c *Card) language() string {
	tag, err := language.Parse(c.Language)
	if c.Language == "" || err != nil {
		tag = language.English
	}
	return tag.String()
}

// findings collects issues, each with the path of a field and never its value.
type findings []fault.Issue

func (f *findings) add(path, rule, detail, fix string) {
	*f = append(*f, fault.Issue{Path: path, Rule: rule, Detail: path + " " + detail + ".", Fix: fix})
}

func (f findings) fault() error {
	if len(f) == 0 {
		return nil
	}
	return fault.New(fault.Rule, "wallet-invalid", "The certificate does not make a wallet pass.").With(f...)
}

func (f *findings) line(path, value string) {
	switch {
	case value == "":
		f.add(path, "wallet-required", "is missing", "give it: the pass shows it")
	case !utf8.ValidString(value):
		f.add(path, "wallet-utf8", "is not valid UTF-8", "send text in UTF-8")
	case utf8.RuneCountInString(value) > MaxLine:
		f.add(path, "wallet-length", "has more than 200 characters", "shorten it")
	case containsControl(value):
		f.add(path, "wallet-control", "has a control character", "send plain text on one line")
	}
}

func containsControl(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

// code checks that the text is whole and of its format, not that it verifies.
func (f *findings) code(format, text string) {
	prefix, known := prefixes[format]
	switch {
	case format == "vdsnc":
		f.add("format", "wallet-format", "is a visible digital seal, whose text is too long for the code of a pass", "ask for another format, or for the PDF card")
	case !known:
		f.add("format", "wallet-format", "is none that a pass can show", "use who, dcc, dcc-recovery, icvp or shc")
	case len(text) > MaxText:
		f.add("text", "wallet-text-length", "is longer than one code of a pass holds, 2395 characters", "ask for another format, or for the PDF card")
	case prefix == "HC1:" && !hc1Form.MatchString(text):
		f.add("text", "wallet-text", "is not HC1: and Base45", "give the text of the certificate in this format")
	case prefix == "shc:/" && !shcForm.MatchString(text):
		f.add("text", "wallet-text", "is not shc:/ and pairs of digits", "give the text of the one code of the certificate")
	}
}
