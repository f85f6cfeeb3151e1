package hl7v2

import (
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/uuid8"
)

type bundle struct {
	ResourceType string  `json:"resourceType"`
	Type         string  `json:"type"`
	Link         []link  `json:"link,omitempty"`
	Entry        []entry `json:"entry"`
}

type link struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

type entry struct {
	FullURL  string   `json:"fullUrl"`
	Resource any      `json:"resource"`
	Request  *request `json:"request,omitempty"`
	at       Location
}

type request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
}

// encode writes the Bundle; places says of each entry which segment it is from.
func (b bundle) encode() (raw []byte, places []Location) {
	b.ResourceType = "Bundle"
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err) // structs of strings, whose numbers were checked, marshal
	}
	for _, e := range b.Entry {
		places = append(places, e.at)
	}
	return raw, places
}

func urn(id string) string { return "urn:uuid:" + id }

// nameID makes the id of a resource from what names it.
func nameID(parts ...string) string { return uuid8.From(digest(parts...)) }

func digest(parts ...string) []byte { return uuid8.Digest(sha256.New(), parts...) }

// replace updates the one resource with the identifier, or creates it (FHIR R4 http
// §3.1.0.4.3).
func replace(kind string, id identifier) *request {
	token := tokenText(id.System) + "|" + tokenText(id.Value)
	return &request{Method: "PUT", URL: kind + "?identifier=" + url.QueryEscape(token)}
}

// tokenText escapes what has a meaning in a search parameter (FHIR R4 search §3.1.1.4.0.1).
func tokenText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `|`, `\|`, `,`, `\,`, `$`, `\$`).Replace(s)
}
