package foreign_test

import (
	"crypto/ecdsa"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
)

// Who may spend our time before the proof is checked has a limit: a document with more keys
// than that is too large, not forged, and says so.
func TestProofsOfVeryLongListsAreNotChecked(t *testing.T) {
	t.Parallel()
	reference := []any{"did:web:list.example:a"}
	source := foreign.Source{Name: "who", Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{&newKey(t).PublicKey}}}
	if _, err := foreign.Parse(didDocument(t, slices.Repeat(reference, 5001)...), source); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("5001 keys: %v", err)
	}
	if _, err := foreign.Parse(didDocument(t, slices.Repeat(reference, 5000)...), source); fault.KindOf(err) != fault.Rule {
		t.Errorf("5000 keys: %v", err)
	}
}
