package foreign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// Columns of the registry, which has no header line. Some versions have the kind of entity
// after the key id; a last column, the site of the issuer, may be missing.
const (
	columnFramework = iota
	columnKID
	columnStatus
	columnName // base64
	columnLogo // base64
	columnFrom
	columnUntil
	columnKey // SubjectPublicKeyInfo, base64
	columns
)

// frameworks are those whose keys are read.
var frameworks = []string{"DCC", "SHC", "DIVOC"}

// parsePathCheck reads the registry's CSV. Rows hold keys, no certificates, so nothing
// becomes an Entry.
func parsePathCheck(raw []byte, _ Source) (Snapshot, error) {
	reader := csv.NewReader(bytes.NewReader(raw))
	reader.FieldsPerRecord = -1
	var snapshot Snapshot
	seen := map[string]bool{}
	for rows := 0; ; rows++ {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return snapshot, nil
		}
		if err != nil {
			return Snapshot{}, errForm.Because(err)
		}
		if rows == MaxEntries {
			return Snapshot{}, errSize
		}
		if len(row) > columnStatus && row[columnStatus] == "issuer" {
			row = slices.Delete(row, columnStatus, columnStatus+1)
		}
		if len(row) < columns || len(row) > columns+2 {
			snapshot.skip("", "", SkipEntry, "The row does not have the columns of the registry.")
			continue
		}
		snapshot.readRow(row, seen)
	}
}

func (s *Snapshot) readRow(row []string, seen map[string]bool) {
	framework, kid := row[columnFramework], row[columnKID]
	refuse := func(reason, detail string) { s.skip(kid, framework, reason, detail) }
	if framework == "EUDCC" {
		framework = "DCC"
	}
	if !slices.Contains(frameworks, framework) {
		refuse(SkipFramework, "Keys of this framework are not read.")
		return
	}
	if row[columnStatus] != "current" {
		refuse(SkipStatus, "The registry does not call the key current.")
		return
	}
	key, public, err := registryKey(framework, row[columnKey])
	if err != nil {
		refuse("key", "The key must be on P-256 or RSA of 2048 to 4096 bits; of DIVOC, RSA or Ed25519.")
		return
	}
	bare := BareKey{Framework: framework, KID: kid, Public: public}
	if !bare.settleKID() {
		refuse(SkipKID, "The key id is not 8 bytes in base64, not the thumbprint of the key, or no verification method.")
		return
	}
	var fromErr, untilErr error
	bare.NotBefore, fromErr = registryTime(row[columnFrom])
	bare.NotAfter, untilErr = registryTime(row[columnUntil])
	if fromErr != nil || untilErr != nil || bare.NotBefore.IsZero() {
		refuse(SkipValidity, "A date of the row cannot be read.")
		return
	}
	id := strings.Join([]string{framework, kid, string(key)}, "\x00")
	if seen[id] {
		refuse("duplicate", "The key is listed twice.")
		return
	}
	seen[id] = true
	s.Keys = append(s.Keys, bare)
}

// maxMethod bounds the verification method that names a DIVOC key, in characters.
const maxMethod = 256

// settleKID checks the key id. Of a DIVOC key it is the verification method in certificates,
// e.g. "did:india"; of an SHC key "issuer#thumbprint", and the thumbprint is recomputed (RFC
// 7638).
func (k *BareKey) settleKID() bool {
	switch k.Framework {
	case "DCC":
		raw, err := base64.StdEncoding.DecodeString(k.KID)
		return err == nil && len(raw) == 8
	case "DIVOC":
		return k.KID != "" && len(k.KID) <= maxMethod && !strings.ContainsFunc(k.KID, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	issuer, kid, ok := strings.Cut(k.KID, "#")
	public, isEC := k.Public.(*ecdsa.PublicKey)
	if !ok || !isEC || !strings.HasPrefix(issuer, "https://") || kid != thumbprint(public) {
		return false
	}
	k.Issuer, k.KID = issuer, kid
	return true
}

// thumbprint is RFC 7638 for a P-256 key.
func thumbprint(key *ecdsa.PublicKey) string {
	point, err := key.Bytes() // 0x04, x, y
	if err != nil || len(point) != 65 {
		return ""
	}
	encode := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`))
	return encode(sum[:])
}

var errKey = errors.New("foreign: the key cannot be used")

func registryKey(framework, text string) ([]byte, crypto.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, nil, err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, nil, err
	}
	fits := false
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		fits = key.Curve == elliptic.P256() && framework != "DIVOC"
	case *rsa.PublicKey:
		fits = key.N.BitLen() >= 2048 && key.N.BitLen() <= 4096
	case ed25519.PublicKey:
		fits = framework == "DIVOC"
	}
	if !fits {
		return nil, nil, errKey
	}
	return der, public, nil
}

// registryTime reads RFC 3339; where the zone is missing, UTC is meant. Empty is zero.
func registryTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05", text)
}
