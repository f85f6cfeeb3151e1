// Package revocationtest makes publications of revoked certificates for tests. Nothing else
// imports it.
package revocationtest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// Copy is a verifier's copy of a publication: the manifest, the filters and, if exact, the
// lists that confirm what a filter says.
func Copy(t testing.TB, signer trusttest.Signer, at time.Time, exact bool, entries ...format.Entry) fstest.MapFS {
	t.Helper()
	list := trusttest.List(t, signer.CA.Entry(signer.Pair, trust.UsageTrustList))
	publisher, err := revocation.NewPublisher(revocation.PublisherConfig{
		Source: source(entries), Signer: manifestSigner{signer, at}, Keys: func() (revocation.Keys, error) { return list, nil },
		Country: signer.Cert.Subject.Country[0], Dir: t.TempDir(), Interval: time.Minute, Retry: time.Second, Timeout: time.Minute,
		Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := publisher.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	publication, err := publisher.Current()
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"manifest.jws": {Data: read(t, publication.SignedManifest())}}
	for _, a := range publication.Manifest.Artefacts {
		switch {
		case a.Kind == format.KindFilter, a.Kind == format.KindCRL && exact:
			artefact, ok := publication.Artefact(a.Name)
			if !ok {
				t.Fatalf("%s is not served", a.Name)
			}
			files[a.Name] = &fstest.MapFile{Data: read(t, artefact)}
		case a.Kind == format.KindSlices && exact:
			addSlices(t, files, publication, a)
		}
	}
	return files
}

func addSlices(t testing.TB, files fstest.MapFS, publication *revocation.Publication, a format.Artefact) {
	t.Helper()
	kid, err := base64.StdEncoding.DecodeString(a.KID)
	if err != nil || a.Depth != 1 {
		t.Fatalf("slices of depth %d: %v", a.Depth, err)
	}
	for first := range 1 << 8 {
		prefix := []byte{byte(first)}
		slice, ok, err := publication.Slice(format.KID(kid), prefix)
		if err != nil || !ok {
			t.Fatalf("slice %x: %v", prefix, err)
		}
		files[revocation.SlicePath(format.KID(kid), prefix)] = &fstest.MapFile{Data: read(t, slice)}
	}
}

func read(t testing.TB, r revocation.Representation) []byte {
	t.Helper()
	raw, err := io.ReadAll(r.Content)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// source gives all entries at once.
type source []format.Entry

// Revoked implements revocation.Source.
func (s source) Revoked(context.Context, string, int) ([]format.Entry, string, error) {
	return s, "", nil
}

// manifestSigner signs as the signing service does.
type manifestSigner struct {
	key trusttest.Signer
	at  time.Time
}

// SignRevocations implements revocation.Signer.
func (s manifestSigner) SignRevocations(ctx context.Context, claims format.Claims) ([]byte, error) {
	payload, err := format.Manifest{Claims: claims, IssuedAt: s.at, NextUpdate: s.at.Add(24 * time.Hour)}.Encode()
	if err != nil {
		return nil, err
	}
	input := format.SigningInput(trust.KID(s.key.Cert), payload)
	signature, err := s.key.Sign(ctx, sha256.Sum256(input))
	return base64.RawURLEncoding.AppendEncode(append(input, '.'), signature[:]), err
}
