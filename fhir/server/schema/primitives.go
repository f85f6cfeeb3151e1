package schema

import (
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
)

// primitives are the primitive types with their JSON type and lexical form (FHIR R4,
// datatypes.html#primitive). Forms that Go's expressions cannot hold cheaply, as the
// length of a string, are left out.
var primitives = map[string]struct {
	kind jsontext.Kind
	form *regexp.Regexp
}{
	"boolean":      {rawjson.True, nil},
	"integer":      {rawjson.Number, regexp.MustCompile(`^-?(0|[1-9][0-9]{0,9})$`)},
	"unsignedInt":  {rawjson.Number, regexp.MustCompile(`^(0|[1-9][0-9]{0,9})$`)},
	"positiveInt":  {rawjson.Number, regexp.MustCompile(`^[1-9][0-9]{0,9}$`)},
	"decimal":      {rawjson.Number, nil},
	"string":       {rawjson.String, nonEmpty},
	"markdown":     {rawjson.String, nonEmpty},
	"xhtml":        {rawjson.String, nonEmpty},
	"code":         {rawjson.String, regexp.MustCompile(`^[^\s]+(\s[^\s]+)*$`)},
	"id":           {rawjson.String, idForm},
	"uri":          {rawjson.String, noSpace},
	"url":          {rawjson.String, noSpace},
	"canonical":    {rawjson.String, noSpace},
	"oid":          {rawjson.String, regexp.MustCompile(`^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$`)},
	"uuid":         {rawjson.String, regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)},
	"base64Binary": {rawjson.String, regexp.MustCompile(`^[A-Za-z0-9+/=\s]+$`)},
	"date":         {rawjson.String, regexp.MustCompile(`^` + dateForm + `$`)},
	"dateTime":     {rawjson.String, regexp.MustCompile(`^(` + dateForm + `|` + dayForm + `T` + timeForm + zoneForm + `)$`)},
	"instant":      {rawjson.String, regexp.MustCompile(`^` + dayForm + `T` + timeForm + zoneForm + `$`)},
	"time":         {rawjson.String, regexp.MustCompile(`^` + timeForm + `$`)},
}

const (
	yearForm  = `[0-9]{4}`
	monthForm = `(0[1-9]|1[0-2])`
	dayForm   = yearForm + `-` + monthForm + `-(0[1-9]|[12][0-9]|3[01])`
	dateForm  = `(` + yearForm + `|` + yearForm + `-` + monthForm + `|` + dayForm + `)`
	timeForm  = `([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?`
	zoneForm  = `(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))`
)

var (
	nonEmpty = regexp.MustCompile(`[^\s]`)
	noSpace  = regexp.MustCompile(`^\S+$`)
	idForm   = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)
)

func primitive(kind string) bool {
	_, ok := primitives[kind]
	return ok
}

// IsID reports whether s has the form of a logical id (FHIR R4, datatypes.html#id).
func IsID(s string) bool { return idForm.MatchString(s) }
