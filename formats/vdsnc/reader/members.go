package reader

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// need says how badly a member is missed.
type need int

const (
	may need = iota
	should
	must
)

// member is the rule for one member: a form, or the members of an object or of each object
// of a list. Neither is set where another function looks.
type member struct {
	need    need
	form    func(c *checker, path string, value any)
	members map[string]member
	list    bool
}

// The tables restate TR VDS-NC §2.3. Lengths are those of its tables, and no more than a
// warning: issuers exceed them.
var (
	dataMembers   = map[string]member{"hdr": {need: must}, "msg": {need: must}}
	headerMembers = map[string]member{"t": {need: must}, "v": {need: must}, "is": {need: must}}

	vaccinationMembers = map[string]member{
		"uvci": {need: must, form: text(12)},
		"pid": {need: must, members: map[string]member{
			"n":   {need: must, form: text(39)},
			"dob": {form: date},
			"sex": {form: oneOf(false, "M", "F", "X")},
			"i":   {form: text(11)},
			"ai":  {form: text(24)},
		}},
		"ve": {need: must, list: true, members: map[string]member{
			"des": {need: must, form: text(6)},
			"nam": {need: must, form: text(0)},
			"dis": {form: text(6)},
			"vd": {need: must, list: true, members: map[string]member{
				"dvc": {need: must, form: date},
				"seq": {need: must, form: doseNumber},
				"ctr": {need: must, form: state},
				"adm": {need: should, form: text(20)},
				"lot": {need: must, form: text(20)},
				"dvn": {form: date},
			}},
		}},
	}

	testMembers = map[string]member{
		"utci": {need: must, form: text(12)},
		"pid": {need: must, members: map[string]member{
			"n":   {need: must, form: text(39)},
			"dob": {need: should, form: date},
			"dt":  {need: must, form: oneOf(false, "P", "A", "C", "I", "AC", "V", "D")},
			"dn":  {need: must, form: text(24)},
		}},
		"sp": {need: must, members: map[string]member{
			"spn": {need: must, form: text(20)},
			"ctr": {need: must, form: state},
			"cd": {members: map[string]member{
				"p": {form: text(0)}, "e": {form: text(0)}, "a": {form: text(0)},
			}},
		}},
		"dat": {need: must, members: map[string]member{
			"sc": {need: must, form: dateTime}, "ri": {need: must, form: dateTime},
		}},
		"tr": {need: must, members: map[string]member{
			"tc": {need: must, form: oneOf(false, "molecular(PCR)", "molecular(other)", "antigen", "antibody")},
			"r":  {need: must, form: oneOf(true, "positive", "negative", "normal", "abnormal")},
			"m":  {form: text(0)},
		}},
		"opt": {form: text(20)},
	}
)

// text is a form of at most limit characters, 0 for as many as fit.
func text(limit int) func(*checker, string, any) {
	return func(c *checker, path string, value any) {
		text, isText := value.(string)
		switch {
		case !isText || strings.TrimSpace(text) == "":
			c.error(path, "must be a text that is not empty")
		case !norm.NFC.IsNormalString(text):
			c.warning(path, "should be in Unicode normalisation form C")
		case limit > 0 && utf8.RuneCountInString(text) > limit:
			c.warning(path, "is longer than the specification allows")
		}
	}
}

// oneOf is a form for codes. Other codes are an error where a reader that does not know
// the code would not know what the seal says.
func oneOf(strict bool, codes ...string) func(*checker, string, any) {
	return func(c *checker, path string, value any) {
		code, isText := value.(string)
		switch {
		case !isText || code == "":
			c.error(path, "must be a code")
		case slices.Contains(codes, code):
		case strict:
			c.error(path, "is not a code of the specification")
		default:
			c.warning(path, "is not a code of the specification")
		}
	}
}

func date(c *checker, path string, value any) {
	text, _ := value.(string)
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		c.error(path, "must be a date of the calendar, YYYY-MM-DD")
	}
}

// dateTime is RFC 3339, which time.Parse alone does not hold to.
func dateTime(c *checker, path string, value any) {
	text, _ := value.(string)
	if new(time.Time).UnmarshalText([]byte(text)) != nil {
		c.error(path, "must be a time with its zone, RFC 3339")
	}
}

func doseNumber(c *checker, path string, value any) {
	number, isNumber := value.(float64)
	if !isNumber || number < 1 || number > 99 || number != math.Trunc(number) {
		c.error(path, "must be a number, 1 to 99")
	}
}

func state(c *checker, path string, value any) {
	code, _ := value.(string)
	if !isState(code) {
		c.error(path, "must be a code of ICAO 9303-3 in capital letters")
	}
}

// isState knows the form of the codes: three letters, but D for Germany.
func isState(code string) bool {
	isLetter := func(r rune) bool { return r >= 'A' && r <= 'Z' }
	return code == "D" || len(code) == 3 && strings.IndexFunc(code, func(r rune) bool { return !isLetter(r) }) < 0
}
