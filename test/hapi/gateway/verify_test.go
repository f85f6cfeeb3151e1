package gateway

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// verifies: what a verifier reads from HAPI verifies with the published keys. HAPI writes
// documents anew; it has the signed bytes in a Binary.
func (l *landscape) verifies(t *testing.T, d *day) {
	t.Helper()
	verifier := verification.Verifier{List: l.TrustList()}
	check := func(what string, document []byte) {
		t.Helper()
		if r := verifier.VerifyDocument(document); !r.Valid {
			t.Errorf("%s: %s: %s", what, r.Reason, r.Detail)
		}
	}
	for _, certificates := range d.issued {
		for _, id := range certificates {
			written := l.read(t, "Bundle/"+id, nil)
			restored, err := registration.Restore(written)
			if err != nil {
				t.Fatal(err)
			}
			check("the document", restored)
			exact := l.file(t, l.registered(t, id)[0])
			if bytes.Equal(exact, written) {
				t.Error("HAPI did not write the document anew: the test shows nothing")
			}
			check("the file", exact)
			check("the Provenance", vouched(t, restored, l.provenance(t, id)))
		}
	}
}

// file fetches what a DocumentReference leads to.
func (l *landscape) file(t *testing.T, reference string) []byte {
	t.Helper()
	var d struct {
		Content []struct{ Attachment struct{ URL string } }
	}
	l.read(t, reference, &d)
	return l.read(t, d.Content[0].Attachment.URL, nil)
}

// provenance is the signature in the Provenance of a document.
func (l *landscape) provenance(t *testing.T, id string) string {
	t.Helper()
	var f found
	l.read(t, "Provenance?target=Bundle/"+id, &f)
	if len(f.Entry) != 1 {
		t.Fatalf("%d Provenances of one document", len(f.Entry))
	}
	var p struct{ Signature []struct{ Data string } }
	if err := json.Unmarshal(f.Entry[0].Resource, &p); err != nil || len(p.Signature) != 1 {
		t.Fatalf("%v %s", err, f.Entry[0].Resource)
	}
	return p.Signature[0].Data
}

// vouched is the document with no other signature than that of its Provenance.
func vouched(t *testing.T, document []byte, signature string) []byte {
	t.Helper()
	var bundle map[string]any
	if err := json.Unmarshal(document, &bundle); err != nil {
		t.Fatal(err)
	}
	bundle["signature"].(map[string]any)["data"] = signature
	raw, err := json.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
