package foreign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// gatewayEntry is an element of /trustList or, with group and certificate instead of
// certificateType and rawData, of /trustList/certificate.
type gatewayEntry struct {
	KID         string `json:"kid"`
	Country     string `json:"country"`
	Type        string `json:"certificateType"`
	Group       string `json:"group"`
	Domain      string `json:"domain"`
	Thumbprint  string `json:"thumbprint"`
	Signature   string `json:"signature"`
	RawData     string `json:"rawData"`
	Certificate string `json:"certificate"`
}

// settle brings both forms together.
func (e *gatewayEntry) settle(format Format) {
	if format == FormatGatewayCertificates {
		e.Type, e.RawData = e.Group, e.Certificate
	}
}

// signed is a certificate of a gateway list with its CMS signature.
type signed struct {
	candidate
	signature []byte
}

// parseGateway follows the trust of the gateways: the anchor signs CSCA and upload
// certificates, an upload certificate of a country signs its DSCs, and a CSCA of the
// country issued them.
func parseGateway(raw []byte, source Source) (Snapshot, error) {
	if err := strictjson.Check(raw, maxNesting); err != nil {
		return Snapshot{}, errForm.Because(err)
	}
	var entries []jsontext.Value
	if err := json.Unmarshal(raw, &entries); err != nil || entries == nil {
		return Snapshot{}, errForm.Because(err)
	}
	if len(entries) > MaxEntries {
		return Snapshot{}, errSize
	}
	var snapshot Snapshot
	lists := snapshot.readEntries(entries, source)
	uploads, cscas := map[string][]*x509.Certificate{}, map[string][]*x509.Certificate{}
	for _, upload := range lists["UPLOAD"] {
		if snapshot.signedBy(upload, source.Authenticity.Anchors) {
			uploads[upload.country] = append(uploads[upload.country], upload.certificate)
		}
	}
	for _, csca := range lists["CSCA"] {
		if snapshot.signedBy(csca, source.Authenticity.Anchors) && snapshot.anchor(csca.candidate) {
			cscas[csca.country] = append(cscas[csca.country], csca.certificate)
		}
	}
	for _, dsc := range lists["DSC"] {
		if snapshot.signedBy(dsc, uploads[dsc.country]) {
			snapshot.add(dsc.candidate, cscas[dsc.country], false)
		}
	}
	return snapshot, nil
}

// gatewayKinds are the kinds that count, by all the names they have.
var gatewayKinds = map[string]string{"UPLOAD": "UPLOAD", "UP": "UPLOAD", "CSCA": "CSCA", "SCA": "CSCA", "DSC": "DSC"}

func (s *Snapshot) readEntries(entries []jsontext.Value, source Source) map[string][]signed {
	lists := map[string][]signed{}
	for _, value := range entries {
		var entry gatewayEntry
		if json.Unmarshal(value, &entry) != nil {
			s.skip("", "", SkipEntry, "The element is not an entry of the list.")
			continue
		}
		entry.settle(source.Format)
		kind, ok := gatewayKinds[entry.Type]
		if !ok {
			s.skip(entry.KID, entry.Country, SkipKind, "The certificate does not sign health certificates, their signers or uploads.")
			continue
		}
		if one, ok := s.readEntry(entry, source); ok {
			lists[kind] = append(lists[kind], one)
		}
	}
	return lists
}

func (s *Snapshot) readEntry(entry gatewayEntry, source Source) (signed, bool) {
	if entry.Domain != "" && len(source.Domains) > 0 && !slices.Contains(source.Domains, entry.Domain) {
		s.skip(entry.KID, entry.Country, SkipDomain, "The domain is not one of the configured ones.")
		return signed{}, false
	}
	if !source.speaksFor(entry.Country) {
		s.skip(entry.KID, entry.Country, "country", "The list may not speak for the country.")
		return signed{}, false
	}
	certificate, ok := s.readCertificate(entry.RawData, entry.KID, entry.Country, entry.Country)
	if !ok {
		return signed{}, false
	}
	sum := sha256.Sum256(certificate.Raw)
	if entry.Thumbprint != "" && !strings.EqualFold(entry.Thumbprint, hex.EncodeToString(sum[:])) {
		s.skip(entry.KID, entry.Country, SkipThumbprint, "The stated thumbprint is not the one of the certificate.")
		return signed{}, false
	}
	signature, err := base64.StdEncoding.DecodeString(entry.Signature)
	if err != nil && source.Format != FormatSignedList {
		s.skip(entry.KID, entry.Country, SkipSignature, "The signature is not standard base64.")
		return signed{}, false
	}
	c := candidate{certificate: certificate, kid: entry.KID, country: entry.Country, domain: entry.Domain}
	return signed{candidate: c, signature: signature}, true
}

// signedBy checks the detached CMS of an entry: made by one of the signers, byte for byte.
func (s *Snapshot) signedBy(one signed, signers []*x509.Certificate) bool {
	message, err := cms.VerifyDetached(one.signature, one.certificate.Raw, signers...)
	if err == nil && slices.ContainsFunc(signers, message.Signer.Equal) {
		return true
	}
	s.skip(one.kid, one.country, SkipSignature, "The entry is not signed by the trust anchor or by an upload certificate of its country.")
	return false
}

// parseSignedList reads a base64 signature, r and s of 32 bytes each, and the JSON that it
// covers from its first brace on. There are no CSCAs: the signature makes the DSCs trusted.
func parseSignedList(raw []byte, source Source) (Snapshot, error) {
	brace := bytes.IndexByte(raw, '{')
	if brace < 0 {
		return Snapshot{}, errForm
	}
	body := bytes.TrimSpace(raw[brace:])
	if err := checkListSignature(string(bytes.TrimSpace(raw[:brace])), body, source.Authenticity.ListKeys); err != nil {
		return Snapshot{}, err
	}
	if err := strictjson.Check(body, maxNesting); err != nil {
		return Snapshot{}, errForm.Because(err)
	}
	var list struct {
		Certificates []jsontext.Value `json:"certificates"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Certificates == nil {
		return Snapshot{}, errForm.Because(err)
	}
	if len(list.Certificates) > MaxEntries {
		return Snapshot{}, errSize
	}
	var snapshot Snapshot
	for kind, certificates := range snapshot.readEntries(list.Certificates, source) {
		for _, one := range certificates {
			if kind != "DSC" {
				snapshot.skip(one.kid, one.country, SkipKind, "The certificate is not one of a document signer.")
				continue
			}
			snapshot.add(one.candidate, nil, true)
		}
	}
	return snapshot, nil
}

func checkListSignature(text string, body []byte, keys []*ecdsa.PublicKey) error {
	if len(keys) == 0 {
		return nil // then a digest of the whole document is configured
	}
	const half = 32
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(signature) != 2*half {
		return errAuthenticity
	}
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	sum := sha256.Sum256(body)
	if slices.ContainsFunc(keys, func(key *ecdsa.PublicKey) bool { return ecdsa.Verify(key, sum[:], r, s) }) {
		return nil
	}
	return errAuthenticity
}
