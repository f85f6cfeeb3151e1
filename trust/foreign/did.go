package foreign

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/language"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// maxNesting of a trust list is 6: document, methods, method, key, certificates, text.
const maxNesting = 8

// maxProven bounds the keys of a document whose proof is checked: ten times the list of the
// whole GDHCN in 2026. The check costs about 0.3 ms a key and comes first.
const maxProven = 5000

// didDocument is what is read of a GDHCN trust list (smart.who.int/trust, DID trust list
// version 2). Coordinates of keys are not: many are written wrongly, x5c counts.
type didDocument struct {
	ID      string           `json:"id"`
	Methods []jsontext.Value `json:"verificationMethod"`
}

type didMethod struct {
	Key struct {
		KID string   `json:"kid"`
		X5C []string `json:"x5c"`
	} `json:"publicKeyJwk"`
	Domain      didCode `json:"domain"`
	Participant didCode `json:"participant"`
	Usage       didCode `json:"keyusage"`
}

type didCode struct {
	Code string `json:"code"`
}

func (c didCode) text() string { return strings.TrimPrefix(c.Code, "#") }

func parseDID(raw []byte, source Source) (Snapshot, error) {
	if err := strictjson.Check(raw, maxNesting); err != nil {
		return Snapshot{}, errForm.Because(err)
	}
	var document didDocument
	if err := json.Unmarshal(raw, &document); err != nil {
		return Snapshot{}, errForm.Because(err)
	}
	if !strings.HasPrefix(document.ID, "did:") || document.Methods == nil {
		return Snapshot{}, errForm
	}
	if len(document.Methods) > MaxEntries {
		return Snapshot{}, errSize
	}
	created, err := checkProof(raw, source)
	if err != nil {
		return Snapshot{}, err
	}
	snapshot := Snapshot{Created: created}
	cscas, dscs, err := snapshot.readMethods(document.Methods, source)
	if err != nil {
		return Snapshot{}, err
	}
	pinned := source.Authenticity.Anchors
	accepted := snapshot.didAnchors(cscas, pinned)
	for _, dsc := range dscs {
		candidates := accepted[dsc.participant]
		if len(pinned) > 0 { // also where the list has no CSCAs, as those with usage DSC
			candidates = ofCountry(pinned, dsc.country)
		}
		snapshot.add(dsc, candidates, false)
	}
	return snapshot, nil
}

func ofCountry(certificates []*x509.Certificate, country string) []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(certificates), func(c *x509.Certificate) bool {
		return len(c.Subject.Country) != 1 || c.Subject.Country[0] != country
	})
}

// checkProof holds the proof against the configured keys, if there are any, and gives the
// time that it then vouches for.
func checkProof(raw []byte, source Source) (time.Time, error) {
	var failures []error
	for _, key := range source.Authenticity.ProofKeys {
		document, err := trust.VerifyDID(raw, key, trust.Limits{Bytes: MaxBytes, Certificates: maxProven})
		if err == nil {
			return document.Created, nil
		}
		if errors.Is(err, trust.ErrDIDTooLarge) {
			return time.Time{}, errSize
		}
		failures = append(failures, err)
	}
	if len(failures) > 0 {
		return time.Time{}, errAuthenticity.Because(errors.Join(failures...))
	}
	return time.Time{}, nil
}

// readMethods sorts the methods into CSCAs and DSCs.
func (s *Snapshot) readMethods(methods []jsontext.Value, source Source) (cscas, dscs []candidate, err error) {
	for _, value := range methods {
		if value.Kind() == '"' {
			return nil, nil, errReference
		}
		var method didMethod
		if json.Unmarshal(value, &method) != nil || len(method.Key.X5C) == 0 {
			s.skip("", "", SkipEntry, "The verification method is not a JsonWebKey2020 with certificates.")
			continue
		}
		usage := method.Usage.text()
		if usage != "CSCA" && usage != "SCA" && usage != "DSC" {
			s.skip(method.Key.KID, method.Participant.text(), SkipKind, "The certificate does not sign health certificates or their signers.")
			continue
		}
		c, ok := s.readMethod(method, source)
		switch {
		case !ok:
		case usage == "DSC":
			dscs = append(dscs, c)
		default:
			cscas = append(cscas, c)
		}
	}
	return cscas, dscs, nil
}

func (s *Snapshot) readMethod(method didMethod, source Source) (candidate, bool) {
	participant, domain := method.Participant.text(), method.Domain.text()
	if len(source.Domains) > 0 && !slices.Contains(source.Domains, domain) {
		s.skip(method.Key.KID, participant, SkipDomain, "The domain is not one of the configured ones.")
		return candidate{}, false
	}
	country, ok := source.countryOf(participant)
	if !ok {
		s.skip(method.Key.KID, participant, SkipParticipant, "The participant stands for no known country; configure one if it should.")
		return candidate{}, false
	}
	if !source.speaksFor(country) {
		s.skip(method.Key.KID, participant, "country", "The list may not speak for the country.")
		return candidate{}, false
	}
	certificate, ok := s.readCertificate(method.Key.X5C[0], method.Key.KID, country, participant)
	if !ok {
		return candidate{}, false
	}
	return candidate{certificate: certificate, kid: kidText(certificate), country: country, participant: participant, domain: domain}, true
}

// didAnchors accepts the CSCAs, by participant. With pinned ones, no other counts.
func (s *Snapshot) didAnchors(cscas []candidate, pinned []*x509.Certificate) map[string][]*x509.Certificate {
	accepted := map[string][]*x509.Certificate{}
	for _, csca := range cscas {
		if len(pinned) > 0 && !slices.ContainsFunc(pinned, csca.certificate.Equal) {
			s.skip(csca.kid, csca.participant, SkipAnchor, "The CSCA is not among the configured ones.")
			continue
		}
		if s.anchor(csca) {
			accepted[csca.participant] = append(accepted[csca.participant], csca.certificate)
		}
	}
	return accepted
}

// countryOf maps the code of a participant to ISO 3166-1 alpha-2.
func (s Source) countryOf(participant string) (string, bool) {
	if country, ok := s.Participants[participant]; ok {
		return country, true
	}
	if len(participant) != 3 {
		return "", false
	}
	if participant[:2] == "XX" && 'A' <= participant[2] && participant[2] <= 'Z' {
		return "X" + participant[2:], true // test nations: certificates of XXH say XH
	}
	region, err := language.ParseRegion(participant)
	if err != nil || !region.IsCountry() || region.ISO3() != participant || !isCountry(region.String()) {
		return "", false
	}
	return region.String(), true
}
