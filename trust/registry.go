package trust

import (
	"encoding/base64"
	"time"
)

// registryKey is one key as the trust registry of the DDCC trusted-party reference
// implementation answers it.
type registryKey struct {
	DIDDocument    string   `json:"didDocument"` // SubjectPublicKeyInfo, DER in base64
	ValidFrom      string   `json:"validFromDT"`
	ValidUntil     string   `json:"validUntilDT"`
	CredentialType []string `json:"credentialType"` // t, v, r; empty for other content
	Status         string   `json:"status"`
}

// registryTime is the form in which JavaScript writes a time.
const registryTime = "2006-01-02T15:04:05.000Z"

// credentialTypes are the letters of HCERT content in the registry.
var credentialTypes = []struct {
	usage  Usage
	letter string
}{{UsageTest, "t"}, {UsageVaccination, "v"}, {UsageRecovery, "r"}}

// registry writes the keys that fit as a JSON object by kid. A key whose certificate has
// ended stays, as the reference has it, with the status "expired".
func (l *List) registry(fits func(Entry) bool, kid func(Entry) string, now time.Time) ([]byte, error) {
	keys := map[string]registryKey{}
	for _, entry := range l.Entries() {
		if !fits(entry) {
			continue
		}
		key := registryKey{
			DIDDocument:    base64.StdEncoding.EncodeToString(entry.DSC.RawSubjectPublicKeyInfo),
			ValidFrom:      entry.DSC.NotBefore.UTC().Format(registryTime),
			ValidUntil:     entry.DSC.NotAfter.UTC().Format(registryTime),
			CredentialType: []string{},
			Status:         "current",
		}
		for _, credential := range credentialTypes {
			if entry.Allows(credential.usage) {
				key.CredentialType = append(key.CredentialType, credential.letter)
			}
		}
		if entry.expiredAt(now) {
			key.Status = "expired"
		}
		if old, taken := keys[kid(entry)]; taken && old.Status == "current" { // one key, two certificates
			continue
		}
		keys[kid(entry)] = key
	}
	return encodeJSON(keys)
}

// hcertKID is the kid in certificates and in the registry.
func hcertKID(entry Entry) string { return base64.StdEncoding.EncodeToString(entry.KID) }

// shcKID is the kid of a SMART Health Card; lists hold no key for them that has none.
func shcKID(entry Entry) string {
	key, err := newJWK(entry)
	if err != nil {
		return ""
	}
	return key.thumbprint()
}
