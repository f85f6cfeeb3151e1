package revocation_test

import (
	"io/fs"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// A verifier in the publisher's own process sees what one elsewhere fetches.
func TestPublishedFilesAreWhatIsServed(t *testing.T) {
	t.Parallel()
	s := newSite(t, append(entriesOf(300), card(1))...)
	p := published(t, s.publisher(t))
	for name, want := range mirror(t, p, allKinds...) {
		got, err := fs.ReadFile(p.Files(), name)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(want), err)
		}
	}
	set, err := revocation.Load(p.Files(), s.list, s.clock())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.entries {
		if verdict := set.Check(identityOf(e)); !verdict.Revoked || verdict.Certainty != revocation.Exact {
			t.Fatalf("%+v", verdict)
		}
	}
	if verdict := set.Check(identityOf(dcc(100_000))); verdict.Revoked {
		t.Error("a certificate that nobody revoked")
	}
	for _, name := range []string{"x", "slices", "slices/x", "slices/AAAAAAAAAAA/00", "filter/../manifest.jws"} {
		if _, err := p.Files().Open(name); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}
