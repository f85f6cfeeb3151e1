package ceremony

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var someIssuer = content{"label": "csca", "version": 1, "certificate": "csca.pem", "sha256": strings.Repeat("0", 64)}

func someKey(changes content) content {
	return content{"usage": "test", "label": "dsc-test", "commonName": "Test DSC"}.with(changes)
}

var crlFile = content{
	"name": "xx-crl", "kind": "crl", "country": "XX", "organization": "Test Ministry of Health", "issuer": someIssuer,
	"crl": content{"number": 1, "revoked": []content{{"serial": "0badc0de", "reason": "keyCompromise"}}},
}

// paths of the issues of a fault, sorted, each once.
func paths(err error) []string {
	var all []string
	if f := new(fault.Error); errors.As(err, &f) {
		for _, i := range f.Issues {
			all = append(all, i.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestGoodFilesAreRead(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]content{
		"csca": cscaFile, "dsc": dscFile(someIssuer, allKeys()...), "crl": crlFile,
		"vault pki": dscFile(content{"engine": "vault-pki", "certificate": "csca.pem", "sha256": strings.Repeat("a", 64)}, someKey(nil)),
		"times":     dscFile(someIssuer, someKey(nil)).with(content{"publishAt": now, "activateAt": now, "lead": "0s", "notBefore": now}),
	} {
		if _, err := decode(encode(t, file)); err != nil {
			t.Errorf("%s: %s", name, describe(err))
		}
	}
}

func TestEachMistakeIsNamedAtItsPath(t *testing.T) {
	t.Parallel()
	certify := dscFile(someIssuer, someKey(content{"label": nil, "request": "r.json", "requestSha256": strings.Repeat("0", 64)})).with(content{"kind": "certify"})
	one := func(changes content) content { return dscFile(someIssuer, someKey(changes)) }
	issuer := func(changes content) content { return dscFile(someIssuer.with(changes), someKey(nil)) }
	list := func(changes content) content {
		return crlFile.with(content{"crl": crlFile["crl"].(content).with(changes)})
	}
	entry := func(changes content) content {
		return list(content{"revoked": []content{content{"serial": "01", "reason": "superseded"}.with(changes)}})
	}
	for _, tc := range []struct {
		path string
		file content
	}{
		{"/name", cscaFile.with(content{"name": "../xx"})},
		{"/name", cscaFile.with(content{"name": nil})},
		{"/kind", cscaFile.with(content{"kind": "party"})},
		{"/country", cscaFile.with(content{"country": "xx"})},
		{"/country", cscaFile.with(content{"country": "XXX"})},
		{"/organization", cscaFile.with(content{"organization": ""})},
		{"/organization", cscaFile.with(content{"organization": "two\nlines"})},
		{"/organization", cscaFile.with(content{"organization": strings.Repeat("o", 65)})},
		{"/notBefore", cscaFile.with(content{"notBefore": "tomorrow"})},
		{"/ignore/1", cscaFile.with(content{"ignore": []string{"size", "everything"}})},
		{"/csca", cscaFile.with(content{"csca": nil})},
		{"/csca/label", cscaFile.with(content{"csca": content{"label": "CSCA", "commonName": "c"}})},
		{"/csca/commonName", cscaFile.with(content{"csca": content{"label": "csca"}})},
		{"/csca/validityDays", cscaFile.with(content{"csca": content{"label": "csca", "commonName": "c", "validityDays": -1}})},
		{"/issuer", cscaFile.with(content{"issuer": someIssuer})},
		{"/keys", cscaFile.with(content{"keys": []content{someKey(nil)}})},
		{"/lead", cscaFile.with(content{"lead": "24h"})},
		{"/lead", dscFile(someIssuer, someKey(nil)).with(content{"lead": "a day", "publishAt": now})},
		{"/lead", dscFile(someIssuer, someKey(nil)).with(content{"lead": "-1h", "publishAt": now})},
		{"/lead", dscFile(someIssuer, someKey(nil)).with(content{"lead": "1h"})},
		{"/keys", dscFile(someIssuer)},
		{"/issuer", dscFile(nil, someKey(nil)).with(content{"issuer": nil})},
		{"/issuer/engine", issuer(content{"engine": "abacus"})},
		{"/issuer/label", issuer(content{"engine": "vault-pki"})},
		{"/issuer/label", issuer(content{"label": nil})},
		{"/issuer/version", issuer(content{"version": 0})},
		{"/issuer/certificate", issuer(content{"certificate": nil})},
		{"/issuer/sha256", issuer(content{"sha256": "AB"})},
		{"/keys/0/usage", one(content{"usage": "cooking"})},
		{"/keys/1/usage", dscFile(someIssuer, someKey(nil), someKey(content{"label": "other"}))},
		{"/keys/0/label", one(content{"label": "DSC test"})},
		{"/keys/0/commonName", one(content{"commonName": " x"})},
		{"/keys/0/validityDays", one(content{"validityDays": 1e6})},
		{"/keys/0/privateUseDays", one(content{"privateUseDays": 184})},
		{"/keys/0/privateUseDays", one(content{"usage": "vdsnc", "documentTypes": []string{"NV"}, "privateUseDays": 184})},
		{"/keys/0/privateUseDays", one(content{"usage": "upload", "privateUseDays": 1})},
		{"/keys/0/crl", one(content{"crl": "csca.crl"})},
		{"/keys/0/issuerUrl", one(content{"usage": "shc"})},
		{"/keys/0/issuerUrl", one(content{"usage": "shc", "issuerUrl": "https://example.org/"})},
		{"/keys/0/issuerUrl", one(content{"issuerUrl": "https://example.org"})},
		{"/keys/0/documentTypes", one(content{"usage": "vdsnc"})},
		{"/keys/0/documentTypes", one(content{"usage": "vdsnc", "documentTypes": []string{"P"}})},
		{"/keys/0/documentTypes", one(content{"documentTypes": []string{"NV"}})},
		{"/keys/0/selfSigned", one(content{"selfSigned": true}).with(content{"issuer": someIssuer, "keys": []content{someKey(content{"selfSigned": true}), someKey(content{"usage": "document"})}})},
		{"/keys/0/request", one(content{"request": "r.json"})},
		{"/keys/0/label", certify.with(content{"keys": []content{someKey(content{"request": "r.json", "requestSha256": strings.Repeat("0", 64)})}})},
		{"/keys/0/request", certify.with(content{"keys": []content{someKey(content{"label": nil, "requestSha256": strings.Repeat("0", 64)})}})},
		{"/keys/0/requestSha256", certify.with(content{"keys": []content{someKey(content{"label": nil, "request": "r.json"})}})},
		{"/crl", crlFile.with(content{"crl": nil})},
		{"/notBefore", crlFile.with(content{"notBefore": now})},
		{"/notBefore", issuer(content{"engine": "vault-pki", "label": nil, "version": nil}).with(content{"notBefore": now})},
		{"/issuer/ignore/0", issuer(content{"ignore": []string{"everything"}})},
		{"/crl/number", list(content{"number": 0})},
		{"/crl/previous", list(content{"number": 2})},
		{"/crl/previous", list(content{"previous": "old.pem"})},
		{"/crl/nextUpdateDays", list(content{"nextUpdateDays": 400})},
		{"/crl/revoked", list(content{"revoked": slices.Repeat([]content{{"serial": "01", "reason": "superseded"}}, 1001)})},
		{"/crl/revoked/0", entry(content{"serial": nil})},
		{"/crl/revoked/0", entry(content{"certificate": "c.pem"})},
		{"/crl/revoked/0/serial", entry(content{"serial": "00"})},
		{"/crl/revoked/0/serial", entry(content{"serial": "0x01"})},
		{"/crl/revoked/0/serial", entry(content{"serial": strings.Repeat("f", 41)})},
		{"/crl/revoked/0/reason", entry(content{"reason": "certificateHold"})},
		{"/kinds", cscaFile.with(content{"kinds": "csca"})},
		{"/csca/Label", cscaFile.with(content{"csca": content{"Label": "x", "label": "csca", "commonName": "c"}})},
		{"/keys/0/usages", one(content{"usages": "test"})},
	} {
		_, err := decode(encode(t, tc.file))
		if got := paths(err); !slices.Equal(got, []string{tc.path}) {
			t.Errorf("want a complaint at %s, got %v for %s", tc.path, got, encode(t, tc.file))
		}
	}
}

func TestAllMistakesComeAtOnce(t *testing.T) {
	t.Parallel()
	file := dscFile(someIssuer.with(content{"sha256": "x"}), someKey(content{"label": "X", "commonName": nil})).with(content{"country": "x", "name": ""})
	want := []string{"/country", "/issuer/sha256", "/keys/0/commonName", "/keys/0/label", "/name"}
	if _, err := decode(encode(t, file)); !slices.Equal(paths(err), want) {
		t.Errorf("%v, want %v", paths(err), want)
	}
}

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	good := string(encode(t, cscaFile))
	for name, raw := range map[string]string{
		"duplicate": strings.Replace(good, `"kind":`, `"kind":"dsc","kind":`, 1),
		"trailing":  good + "{}",
		"nothing":   "",
		"a list":    "[" + good + "]",
		"cut off":   good[:len(good)-1],
		"deep":      `{"keys":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
		"wrong":     `{"name":1}`,
		"comment":   "// reviewed\n" + good,
	} {
		if _, err := decode([]byte(raw)); !errors.Is(err, errFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := Read(s.path("absent.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(s.path("huge.json"), bytes.Repeat([]byte(" "), maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(s.path("huge.json")); !errors.Is(err, errTooLarge) {
		t.Error(err)
	}
}

// What can be checked only with the clock and the files named.
func TestMistakesInTimesAndNamedFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	csca, issuer := s.csca()
	other, _ := newSite(t).csca()
	for name, raw := range map[string][]byte{
		"other.pem": encodePEM(pemCertificate, other.Raw), "nonsense.pem": []byte("nonsense"),
		"two.pem":  append(encodePEM(pemCertificate, csca.Raw), encodePEM(pemCertificate, csca.Raw)...),
		"leaf.pem": encodePEM(pemCertificate, s.hold(dscFile(issuer, someKey(nil)).with(content{"name": "leaf"})).Certificates[0].Raw),
	} {
		if err := os.WriteFile(s.path(name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := dscFile(issuer, someKey(nil))
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339Nano) }
	for _, tc := range []struct {
		path    string
		changes content
	}{
		{"/issuer/certificate", content{"issuer": issuer.with(content{"certificate": "absent.pem"})}},
		{"/issuer/certificate", content{"issuer": issuer.with(content{"certificate": "nonsense.pem"})}},
		{"/issuer/certificate", content{"issuer": issuer.with(content{"certificate": "two.pem"})}},
		{"/issuer/sha256", content{"issuer": issuer.with(content{"certificate": "other.pem"})}},
		{"/notBefore", content{"notBefore": at(-backdating - time.Second)}},
		{"/notBefore", content{"notBefore": at(time.Millisecond)}},
		{"/publishAt", content{"publishAt": at(-backdating - time.Second), "notBefore": at(-backdating)}},
		{"/activateAt", content{"publishAt": at(0), "activateAt": at(24*time.Hour - time.Second)}},
		{"/keys/0", content{"activateAt": at(184 * 24 * time.Hour)}},
		{"/keys/0", content{"notBefore": at(48 * time.Hour), "activateAt": at(47 * time.Hour)}},
	} {
		if _, err := s.prepare(good.with(tc.changes)); !slices.Equal(paths(err), []string{tc.path}) {
			t.Errorf("want a complaint at %s, got %v for %v", tc.path, err, tc.changes)
		}
	}
	leaf, err := os.ReadFile(s.path("leaf.pem"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := parseCertificatePEM(leaf)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.prepare(good.with(content{"issuer": issuer.with(content{"certificate": "leaf.pem", "sha256": digest(certificate.Raw)})}))
	if !complains(err, "/issuer/certificate") {
		t.Errorf("a DSC as issuer: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, cscaFile))
	f.Add(encode(f, crlFile))
	f.Add(encode(f, dscFile(someIssuer, allKeys()...)))
	f.Add([]byte(`{"name":"x","name":"y","keys":[[[]]]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := decode(raw)
		if err != nil {
			if !errors.Is(err, errFile) || len(paths(err)) == 0 {
				t.Fatalf("an error without a path: %v", err)
			}
			return
		}
		if again, err := decode(raw); err != nil || again.Name != file.Name {
			t.Fatal("decodes differently the second time")
		}
	})
}

func FuzzRequestFile(f *testing.F) {
	keys := newMemory()
	ref, public, err := keys.Create(f.Context(), "dsc-test")
	if err != nil {
		f.Fatal(err)
	}
	o := keyOrder(File{Country: "XX", Organization: "O"}, 0, Key{Usage: keystore.UsageTest, Label: ref.Label, CommonName: "c"}, now)
	template, err := o.template(public)
	if err != nil {
		f.Fatal(err)
	}
	d := &desk{keys: keys, note: func(line) error { return nil }}
	r, err := d.request(f.Context(), o, ref, public, template)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := r.encode()
	if err != nil {
		f.Fatal(err)
	}
	if _, err := parseRequestFile(raw); err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"format":1,"usage":"test","label":"x","version":1,"request":"MAA="}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := parseRequestFile(raw)
		if err == nil && (r.public() == nil || r.parsed.CheckSignature() != nil || !r.Usage.Known()) {
			t.Fatal("accepts a request that proves nothing")
		}
	})
}
