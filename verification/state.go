package verification

import (
	"crypto/x509"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// statesOfDocuments are the codes of ICAO 9303-3 §5 for issuers of travel documents that
// are not the alpha-3 code of ISO 3166-1, by the country in certificates.
var statesOfDocuments = map[string][]string{
	"DE": {"D"},
	"EU": {"EUE"},
	"UN": {"UNO", "UNA"},
	"UT": {"UTO"},        // Utopia, ICAO's own specimen
	"XK": {"RKS", "XKX"}, // Kosovo
	"KS": {"RKS"},
}

// isStateOf compares a state in the code of travel documents with the country of a
// certificate. Test nations (X and a letter) are in certificates what XX and the letter are
// as participants of the GDHCN, and may issue specimens of Utopia.
func isStateOf(state string, certificate *x509.Certificate) bool {
	if len(certificate.Subject.Country) != 1 {
		return false
	}
	country := strings.ToUpper(certificate.Subject.Country[0])
	if slices.Contains(statesOfDocuments[country], state) || country == state { // a few certificates have the longer code
		return true
	}
	if len(country) != 2 {
		return false
	}
	if country[0] == 'X' && country != "XK" {
		return state == "UTO" || state == "XX"+country[1:]
	}
	region, err := language.ParseRegion(country)
	return err == nil && region.IsCountry() && region.ISO3() == state
}
