package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// Our canonical form is that of the network: its own lists verify.
func TestWHODocuments(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "vectors", "trustlist", "*.did.json"))
	if err != nil || len(files) == 0 {
		t.Skip("public trust lists are absent: ../shared/vectors/trustlist")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			document, err := trust.VerifyDID(raw, trusttest.WHOKey(t), trust.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if len(document.Methods)+len(document.References) == 0 || document.Created.Year() != 2026 {
				t.Errorf("read %+v", document)
			}
			for _, method := range document.Methods {
				if method.Domain == "" || method.Participant == "" || method.Usage == "" || len(method.X5C) == 0 {
					t.Errorf("%s is incomplete", method.ID)
				}
			}
			for name, other := range alterations(t, raw) {
				if _, err := trust.VerifyDID(other, trusttest.WHOKey(t), trust.Limits{}); err == nil {
					t.Errorf("%s: accepted", name)
				}
			}
		})
	}
}

// alterations changes a good document in every way that must not go through.
func alterations(t testing.TB, raw []byte) map[string][]byte {
	t.Helper()
	type object = map[string]any
	edit := func(change func(document, proof object, methods []any)) []byte {
		var document object
		if err := json.Unmarshal(raw, &document); err != nil {
			t.Fatal(err)
		}
		change(document, document["proof"].(object), document["verificationMethod"].([]any))
		out, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	onFirst := func(change func(method object)) []byte {
		return edit(func(document, _ object, methods []any) {
			if method, ok := methods[0].(object); ok {
				change(method)
				return
			}
			document["verificationMethod"] = methods[1:]
		})
	}
	added := object{
		"id": "did:web:evil.example#AAAAAAAAAAA=", "type": "JsonWebKey2020", "controller": "did:web:evil.example",
		"publicKeyJwk": object{"kty": "EC"},
	}
	unsigned := func(member string, value any) []byte { // what canonicalisation would drop
		method := object{}
		for k, v := range added {
			method[k] = v
		}
		method[member] = value
		return edit(func(d, _ object, methods []any) { d["verificationMethod"] = append(methods, method) })
	}
	return map[string][]byte{
		"no JSON":              []byte("x"),
		"cut off":              raw[:len(raw)/2],
		"member twice":         bytes.Replace(raw, []byte(`{`), []byte(`{"id":"did:web:x",`), 1),
		"no proof":             edit(func(d, _ object, _ []any) { delete(d, "proof") }),
		"other id":             edit(func(d, _ object, _ []any) { d["id"] = "did:web:evil.example" }),
		"other controller":     edit(func(d, _ object, _ []any) { d["controller"] = "did:web:evil.example" }),
		"key removed":          edit(func(d, _ object, methods []any) { d["verificationMethod"] = methods[1:] }),
		"key added":            edit(func(d, _ object, methods []any) { d["verificationMethod"] = append(methods, added) }),
		"key twice":            edit(func(d, _ object, methods []any) { d["verificationMethod"] = append(methods, methods[0]) }),
		"key with relative id": unsigned("id", "key"),
		"key with empty id":    unsigned("id", ""),
		"key with a space":     unsigned("id", "did:web:a b"),
		"blank key":            unsigned("id", "_:b0"),
		"keyword":              unsigned("@id", "did:web:x"),
		"key of other type":    unsigned("type", "Ed25519VerificationKey2020"),
		"relative code":        unsigned("domain", object{"code": ""}),
		"reference added":      edit(func(d, _ object, methods []any) { d["verificationMethod"] = append(methods, "did:web:evil.example") }),
		"relative reference":   edit(func(d, _ object, methods []any) { d["verificationMethod"] = append(methods, "evil") }),
		"number as reference":  edit(func(d, _ object, methods []any) { d["verificationMethod"] = append(methods, 7) }),
		"other certificate":    onFirst(func(m object) { m["publicKeyJwk"].(object)["x5c"] = []any{"AAAA"} }),
		"key as text":          onFirst(func(m object) { m["publicKeyJwk"] = "AAAA" }),
		"other domain":         onFirst(func(m object) { m["domain"] = object{"code": "#ICVP"} }),
		"no domain":            onFirst(func(m object) { delete(m, "domain") }),
		"other participant":    onFirst(func(m object) { m["participant"] = object{"code": "#ABC"} }),
		"other usage":          onFirst(func(m object) { m["keyusage"] = object{"code": "#TLS"} }),
		"unknown of a key":     onFirst(func(m object) { m["revoked"] = true }),
		"unknown member":       edit(func(d, _ object, _ []any) { d["service"] = []any{} }),
		"other context":        edit(func(d, _ object, _ []any) { d["@context"] = []any{"https://www.w3.org/ns/did/v1"} }),
		"context of tests": edit(func(d, _ object, methods []any) {
			if _, refers := methods[0].(string); refers { // none of its terms are in use
				d["verificationMethod"] = methods[1:]
			}
			d["@context"].([]any)[2] = "https://smart.who.int/trust/tng-context/v1-UAT.jsonld"
		}),
		"context inside":   edit(func(d, _ object, _ []any) { d["@context"].([]any)[2] = object{"@vocab": "urn:x"} }),
		"other date":       edit(func(_, p object, _ []any) { p["created"] = "2027-08-22T17:05:12Z" }),
		"no date":          edit(func(_, p object, _ []any) { delete(p, "created") }),
		"other nonce":      edit(func(_, p object, _ []any) { p["nonce"] = "x" }),
		"domain of proof":  edit(func(_, p object, _ []any) { p["domain"] = "x" }),
		"other purpose":    edit(func(_, p object, _ []any) { p["proofPurpose"] = "authentication" }),
		"other proof":      edit(func(_, p object, _ []any) { p["type"] = "Ed25519Signature2020" }),
		"other key":        edit(func(_, p object, _ []any) { p["verificationMethod"] = "did:web:evil.example" }),
		"unknown of proof": edit(func(_, p object, _ []any) { p["expires"] = "2027-08-22T17:05:12Z" }),
		"no signature":     edit(func(_, p object, _ []any) { delete(p, "jws") }),
		"empty signature":  edit(func(_, p object, _ []any) { p["jws"] = strings.SplitAfter(p["jws"].(string), "..")[0] }),
		"attached payload": edit(func(_, p object, _ []any) { p["jws"] = strings.Replace(p["jws"].(string), "..", ".AAAA.", 1) }),
		"other algorithm": edit(func(_, p object, _ []any) {
			p["jws"] = base64.RawURLEncoding.EncodeToString([]byte(`{"b64":false,"crit":["b64"],"alg":"none"}`)) + ".." + strings.SplitAfter(p["jws"].(string), "..")[1]
		}),
		"encoded payload": edit(func(_, p object, _ []any) {
			p["jws"] = base64.RawURLEncoding.EncodeToString([]byte(`{"b64":true,"crit":["b64"],"alg":"ES256"}`)) + ".." + strings.SplitAfter(p["jws"].(string), "..")[1]
		}),
	}
}

func TestDIDRoundTrip(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	hcert, revoked := ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID)), ca.DSC(t)
	claims := signer.Claims(issuedAt,
		ca.PublicKey(hcert, trust.UsageVaccination, trust.StateActive),
		ca.PublicKey(ca.DSC(t), trust.UsageRecovery, trust.StatePublished),
		ca.PublicKey(ca.DSC(t), trust.UsageDocument, trust.StateActive),
		ca.PublicKey(ca.DSC(t), trust.UsageSHC, trust.StateActive),
		ca.PublicKey(ca.DSC(t), trust.UsageVDSNC, trust.StateActive),
		ca.PublicKey(revoked, trust.UsageTest, trust.StateRevoked))
	for name, test := range map[string]struct {
		did    trust.DID
		usages map[string]int
	}{
		"signers":              {trusttest.DID, map[string]int{"DSC": 2}},
		"signers and their CA": {trust.DID{ID: "did:web:trust.example%3A8443:v2:trustlist:-:XXA", Domain: "-", Participant: "XXA"}, map[string]int{"DSC": 2, "CSCA": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed, err := trust.Sign(t.Context(), claims, test.did, signer)
			if err != nil {
				t.Fatal(err)
			}
			key := signer.Cert.PublicKey.(*ecdsa.PublicKey)
			document, err := trust.VerifyDID(signed.DID, key, trust.Limits{})
			if err != nil {
				t.Fatalf("%v\n%s", err, signed.DID)
			}
			wantProof := test.did.ID + "#" + base64.StdEncoding.EncodeToString(trust.KID(signer.Cert))
			if document.ID != test.did.ID || !document.Created.Equal(issuedAt) || document.ProofMethod != wantProof {
				t.Errorf("read %+v", document)
			}
			got := map[string]int{}
			for _, method := range document.Methods {
				got[method.Usage]++
				if method.Domain != test.did.Domain || method.Participant != "XXA" || !strings.HasPrefix(method.ID, test.did.ID) {
					t.Errorf("method %+v", method)
				}
			}
			if len(got) != len(test.usages) || got["DSC"] != test.usages["DSC"] || got["CSCA"] != test.usages["CSCA"] {
				t.Errorf("methods %v, want %v", got, test.usages)
			}
			for _, other := range []*ecdsa.PublicKey{nil, hcert.Cert.PublicKey.(*ecdsa.PublicKey)} {
				if _, err := trust.VerifyDID(signed.DID, other, trust.Limits{}); !errors.Is(err, trust.ErrDIDProof) {
					t.Errorf("another key: %v", err)
				}
			}
			for name, other := range alterations(t, signed.DID) {
				if _, err := trust.VerifyDID(other, key, trust.Limits{}); err == nil {
					t.Errorf("%s: accepted", name)
				}
			}
		})
	}
}

// The network writes signatures in DER, the standard says r and s.
func TestDIDSignatureInDER(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	raw := signer.Statement(t, signer.Claims(issuedAt, ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateActive))).DID
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	proof := document["proof"].(map[string]any)
	header, encoded, _ := strings.Cut(proof["jws"].(string), "..")
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(signature) != 64 {
		t.Fatalf("%d bytes, %v", len(signature), err)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])})
	if err != nil {
		t.Fatal(err)
	}
	proof["jws"] = header + ".." + base64.RawURLEncoding.EncodeToString(der)
	other, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.VerifyDID(other, signer.Cert.PublicKey.(*ecdsa.PublicKey), trust.Limits{}); err != nil {
		t.Error(err)
	}
}

func TestVerifyDIDIsBounded(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	raw := signer.Statement(t, signer.Claims(issuedAt,
		ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateActive), ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StatePublished))).DID
	for _, limits := range []trust.Limits{{Bytes: len(raw) - 1}, {Certificates: 1}} {
		if _, err := trust.VerifyDID(raw, trusttest.WHOKey(t), limits); fault.KindOf(err) != fault.TooLarge {
			t.Errorf("%+v: %v", limits, err)
		}
	}
}

func TestDIDPath(t *testing.T) {
	t.Parallel()
	for did, want := range map[string]string{
		"did:web:trust.example:v2:trustlist:DCC:XXA:DSC": "/v2/trustlist/DCC/XXA/DSC/did.json",
		"did:web:trust.example%3A8443:v2:-:XXA":          "/v2/-/XXA/did.json",
		"did:web:trust.example":                          "/.well-known/did.json",
	} {
		if got, err := trust.DIDPath(did); err != nil || got != want {
			t.Errorf("%s: %q, %v", did, got, err)
		}
	}
	for _, did := range []string{
		"", "did:web:", "did:key:abc", "did:web:trust.example:", "did:web:trust.example:..:x", "did:web:trust.example:a/b",
		"did:web:trust.example:a#b", "did:web:trust.example:%2e", "did:web:trust.example:a b", "web:trust.example",
		"did:web:" + strings.Repeat("a", 600),
	} {
		if path, err := trust.DIDPath(did); err == nil {
			t.Errorf("%q: %q", did, path)
		}
	}
}

func TestSignDIDRefuses(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	claims := signer.Claims(issuedAt, ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateActive))
	for name, did := range map[string]trust.DID{
		"no did:web":         {ID: "did:key:x", Domain: "DCC", Participant: "XXA"},
		"no domain":          {ID: trusttest.DID.ID, Participant: "XXA"},
		"no participant":     {ID: trusttest.DID.ID, Domain: "DCC"},
		"domain with spaces": {ID: trusttest.DID.ID, Domain: "D C", Participant: "XXA"},
	} {
		if _, err := trust.Sign(t.Context(), claims, did, signer); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

// A list of all the world takes a time that grows with its length, not with its square.
func TestLongDIDDocuments(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	var keys []trust.PublicKey
	for range 110 {
		keys = append(keys, ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateActive))
	}
	raw := signer.Statement(t, signer.Claims(issuedAt, keys...)).DID
	key := signer.Cert.PublicKey.(*ecdsa.PublicKey)
	document, err := trust.VerifyDID(raw, key, trust.Limits{})
	if err != nil || len(document.Methods) != len(keys) {
		t.Fatalf("%d methods, %v", len(document.Methods), err)
	}
	others := alterations(t, raw)
	for _, name := range []string{"key removed", "key added", "other certificate", "other usage"} {
		if _, err := trust.VerifyDID(others[name], key, trust.Limits{}); !errors.Is(err, trust.ErrDIDProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The canonical form of twenty keys is made far below the time anybody waits.
func BenchmarkSignDID(b *testing.B) {
	ca := trusttest.CSCA(b)
	signer := ca.ListSigner(b)
	var keys []trust.PublicKey
	for range 20 {
		keys = append(keys, ca.PublicKey(ca.DSC(b), trust.UsageTest, trust.StateActive))
	}
	list, err := trust.NewStatement(signer.Claims(issuedAt, keys...))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := trust.SignDID(b.Context(), list, trusttest.DID, signer); err != nil {
			b.Fatal(err)
		}
	}
}
