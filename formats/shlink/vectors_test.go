package shlink_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// wirePayload is the JSON of the vectors.
type wirePayload struct {
	URL   string `json:"url"`
	Flag  string `json:"flag"`
	Key   string `json:"key"`
	Label string `json:"label"`
	Exp   int64  `json:"exp"`
}

func sameAs(t *testing.T, got shlink.Link, want wirePayload) {
	t.Helper()
	if got.URL != want.URL || got.Flags.String() != want.Flag || got.Label != want.Label || got.Version != 1 ||
		base64.RawURLEncoding.EncodeToString(got.Key[:]) != want.Key || !got.Expires.Equal(time.Unix(want.Exp, 0)) {
		t.Error("the link says something else than its payload")
	}
}

// TestVectorLinks reads the links of the health-cards validation SDK and compares them
// with the payloads beside them.
func TestVectorLinks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ link, payload string }{
		{"shlink-link.txt", "shlink-payload.txt"},
		{"shlink-link-with-viewer.txt", "shlink-payload.txt"},
		{"shlink-link-direct.txt", "shlink-payload-direct.txt"},
	} {
		t.Run(test.link, func(t *testing.T) {
			t.Parallel()
			link, err := shlink.Parse(string(vectors.Read(t, "shl", test.link)))
			if err != nil {
				t.Fatal(err)
			}
			if link.Scheme != shlink.SMART {
				t.Errorf("scheme %q", link.Scheme)
			}
			sameAs(t, link, decode[wirePayload](t, vectors.Read(t, "shl", test.payload)))
		})
	}
}

// TestVectorExamples opens the encrypted files of the SDK's examples with the keys in
// their links.
func TestVectorExamples(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]int{
		"ERn18l4lL3_5yPXMSzx3ZejyMM_XIeWeseXa3DXsJD0.json": 2,
		"jvb42XYZTjY2BTZ2mcL6nozbTFT8Vs5G2_I-_IuxCZo.json": 1,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example := decode[struct {
				Link    string      `json:"link"`
				Payload wirePayload `json:"payload"`
				Files   []string    `json:"jweFiles"`
			}](t, vectors.Read(t, "shl", "shl-examples", name))
			link, err := shlink.Parse(example.Link)
			if err != nil {
				t.Fatal(err)
			}
			sameAs(t, link, example.Payload)
			if len(example.Files) != files {
				t.Fatalf("%d files", len(example.Files))
			}
			for i, jwe := range example.Files {
				_, content, err := shlink.Decrypt(link.Key, jwe)
				if err != nil {
					t.Fatalf("file %d: %v", i, err)
				}
				card := decode[struct {
					Credentials []string `json:"verifiableCredential"`
				}](t, content)
				if len(card.Credentials) == 0 || strings.Count(card.Credentials[0], ".") != 2 {
					t.Errorf("file %d holds no SMART Health Card", i)
				}
			}
		})
	}
}

func TestVectorManifest(t *testing.T) {
	t.Parallel()
	m, err := shlink.ParseManifest(vectors.Read(t, "shl", "shlink-manifest.txt"))
	if err != nil || len(m.Files) != 2 {
		t.Fatalf("%d files, %v", len(m.Files), err)
	}
	one := decode[struct{ ContentType, Location string }](t, vectors.Read(t, "shl", "shlink-manifest-file.txt"))
	if got := m.Files[1]; got.ContentType != one.ContentType || got.Location != one.Location || got.Embedded != "" {
		t.Error("the second file is not the one of shlink-manifest-file.txt")
	}
}

// TestVectorClaims reads claim 5 out of HCERTs in two of the shapes it has had.
func TestVectorClaims(t *testing.T) {
	t.Parallel()
	all := decode[struct {
		Cases []struct{ Name, CWTHex string }
	}](t, vectors.Read(t, "generated", "vectors.json"))
	want := map[string]shlink.Scheme{"20-vhl-string": shlink.Verifiable, "21-shl-array": shlink.SMART}
	seen := 0
	for _, c := range all.Cases {
		scheme, ok := want[c.Name]
		if !ok {
			continue
		}
		seen++
		raw, err := hex.DecodeString(c.CWTHex)
		if err != nil {
			t.Fatal(err)
		}
		var cwt struct {
			HCERT map[int]any `cbor:"-260,keyasint"`
		}
		if err := cbor.Unmarshal(raw, &cwt); err != nil {
			t.Fatal(err)
		}
		links, err := shlink.ParseClaim(cwt.HCERT[5])
		if err != nil || len(links) != 1 {
			t.Fatalf("%s: %d links, %v", c.Name, len(links), err)
		}
		if l := links[0]; l.Scheme != scheme || !l.Flags.Has(shlink.Passcode) || l.Label == "" {
			t.Errorf("%s: scheme %s, %s", c.Name, l.Scheme, l)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d cases are there", seen, len(want))
	}
}

// TestSpecificationExample is the link printed in the specification.
func TestSpecificationExample(t *testing.T) {
	t.Parallel()
	const text = "https://viewer.example.org#shlink:/eyJ1cmwiOiJodHRwczovL2Voci5leGFtcGxlLm9yZy9xci9ZOXh3a1VkdG1OOXd3b0pvTjNmZkpJaFgyVUd2Q0wxSm5sUFZOTDNrRFdNL20iLCJmbGFnIjoiTFAiLCJrZXkiOiJyeFRnWWxPYUtKUEZ0Y0VkMHFjY2VOOHdFVTRwOTRTcUF3SVdRZTZ1WDdRIiwibGFiZWwiOiJCYWNrLXRvLXNjaG9vbCBpbW11bml6YXRpb25zIGZvciBPbGl2ZXIgQnJvd24ifQ"
	l, err := shlink.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if l.Flags.String() != "LP" || !l.Expires.IsZero() || l.Version != 1 || base64.RawURLEncoding.EncodeToString(l.Key[:]) != "rxTgYlOaKJPFtcEd0qcceN8wEU4p94SqAwIWQe6uX7Q" {
		t.Errorf("read as %s", l)
	}
	var bad *shlink.Error
	if _, err := shlink.Parse(strings.Replace(text, "viewer.example.org#", "viewer.example.org/", 1)); !errors.As(err, &bad) {
		t.Error("a viewer without # is read")
	}
}
