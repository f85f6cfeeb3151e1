package e2e

import (
	"net/http"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// TestOwnDocumentsCanBeSubmitted: a document of ours is a resources bundle like any other;
// a certificate made from it says the same about the holder and joins the same folder.
func TestOwnDocumentsCanBeSubmitted(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	verifier := verification.Verifier{List: s.TrustList()}
	for name, body := range map[string][]byte{"VS": harness.VS(t, "OWN-1"), "TR": harness.TR(t, "OWN-2")} {
		first, err := s.Post("/ddcc/generateHealthCertificate", body)
		if err != nil || first.Status != http.StatusCreated {
			t.Fatalf("%s: %v, status %d: %.300s", name, err, first.Status, first.Body)
		}
		again, err := s.Post("/ddcc/Bundle/$generateHealthCertificate", first.Body)
		if err != nil || again.Status > http.StatusCreated {
			t.Fatalf("%s: its document was refused: %v, status %d: %.600s", name, err, again.Status, again.Body)
		}
		if r := verifier.VerifyDocument(again.Body); !r.Valid {
			t.Errorf("%s: %s %s", name, r.Reason, r.Detail)
		}
		if first.Header.Values("Link")[0] != again.Header.Values("Link")[0] {
			t.Errorf("%s: the folders differ", name)
		}
		if got, err := s.Post("/ddcc/Bundle/$validate", first.Body); err != nil || got.Status != http.StatusOK {
			t.Errorf("%s: $validate: %v, status %d", name, err, got.Status)
		}
	}
	s.Stop()
	checkBooks(t, s)
}
