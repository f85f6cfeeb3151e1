package seal

import (
	"bytes"
	"errors"
	"testing"
)

func box(t *testing.T, fill byte) *Box {
	t.Helper()
	b, err := New(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBoxOpensOnlyItsOwn(t *testing.T) {
	t.Parallel()
	b := box(t, 1)
	sealed := b.Seal("row 1", []byte("content"))
	if bytes.Contains(sealed, []byte("content")) {
		t.Fatal("the sealed value shows its content")
	}
	got, err := b.Open("row 1", sealed)
	if err != nil || string(got) != "content" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, try := range map[string]func() ([]byte, error){
		"other row": func() ([]byte, error) { return b.Open("row 2", sealed) },
		"other key": func() ([]byte, error) { return box(t, 2).Open("row 1", sealed) },
		"bit flip":  func() ([]byte, error) { return b.Open("row 1", flipped) },
		"too short": func() ([]byte, error) { return b.Open("row 1", sealed[:5]) },
		"empty":     func() ([]byte, error) { return b.Open("row 1", nil) },
	} {
		if v, err := try(); !errors.Is(err, ErrOpen) || v != nil {
			t.Errorf("%s: Open = %q, %v; want ErrOpen", name, v, err)
		}
	}
	if bytes.Equal(b.Seal("row 1", []byte("content")), sealed) {
		t.Error("sealing twice gives the same bytes: the nonce repeats")
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	salt := bytes.Repeat([]byte{7}, 16)
	a, err := FromPassphrase([]byte("correct horse"), salt)
	if err != nil || len(a) != KeySize {
		t.Fatal(len(a), err)
	}
	b, _ := FromPassphrase([]byte("correct horsf"), salt)
	if bytes.Equal(a, b) {
		t.Error("two passphrases give one key")
	}
	if _, err := FromPassphrase(nil, salt); err == nil {
		t.Error("an empty passphrase is accepted")
	}
	if _, err := FromPassphrase([]byte("x"), salt[:8]); err == nil {
		t.Error("a short salt is accepted")
	}
}

func TestPseudonymSeparatesParts(t *testing.T) {
	t.Parallel()
	k := []byte("key")
	if bytes.Equal(Pseudonym(k, "ab", "c"), Pseudonym(k, "a", "bc")) {
		t.Error("parts run together")
	}
	if !bytes.Equal(Pseudonym(k, "ab", "c"), Pseudonym(k, "ab", "c")) {
		t.Error("not deterministic")
	}
	if bytes.Equal(Derive(k, "a"), Derive(k, "b")) {
		t.Error("two purposes give one key")
	}
}
