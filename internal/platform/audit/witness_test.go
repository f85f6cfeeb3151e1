package audit

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
)

func keys() []crypto.PublicKey { return []crypto.PublicKey{signer.Public()} }

func lastOf(t testing.TB, dir string) Checkpoint {
	t.Helper()
	c, err := LastCheckpoint(dir, signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestWitnessFindsRollback cuts entries off together with the checkpoints over them, which
// the log alone cannot show.
func TestWitnessFindsRollback(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, options())
	add(t, l, 10)
	closed(t, l)
	witness := lastOf(t, dir)
	if witness.Size != 10 {
		t.Fatalf("the last checkpoint covers %d, want 10", witness.Size)
	}
	check := Check{Keys: keys(), Witness: &witness}
	if r, err := check.Verify(dir); err != nil || !r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	writeLines(t, dir, entriesFile, readLines(t, dir, entriesFile)[:9])
	writeLines(t, dir, checkpointsFile, readLines(t, dir, checkpointsFile)[:3])
	if r := verify(t, dir); !r.OK() {
		t.Errorf("%+v; the log alone cannot know", r)
	}
	if r, err := check.Verify(dir); err != nil || len(r.Findings) != 1 || r.Findings[0].Kind != RolledBack {
		t.Errorf("%+v, %v; want a rollback", r, err)
	}
	// Written on after the rollback: as long as before, and another log.
	l = open(t, dir, options())
	add(t, l, 7)
	closed(t, l)
	if r, err := check.Verify(dir); err != nil || len(r.Findings) != 1 || r.Findings[0].Kind != RolledBack {
		t.Errorf("%+v, %v; want a rollback", r, err)
	}
}

func TestWitnessOfSegments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, small())
	first := lastOf(t, dir)
	var kept []Checkpoint
	for range 30 {
		add(t, l, 1)
		kept = append(kept, lastOf(t, dir))
	}
	closed(t, l)
	kept = append(kept, first, lastOf(t, dir))
	older := archive(t, dir, 1)
	covers := lastOf(t, older)
	for _, w := range kept {
		r, err := Check{Keys: keys(), Archived: &covers, Witness: &w}.Verify(dir)
		if w.Size < covers.Size {
			if !errors.Is(err, ErrNotHere) {
				t.Errorf("witness of %d entries: %v, want %v", w.Size, err, ErrNotHere)
			}
			if r, err := (Check{Keys: keys(), Witness: &w}).Verify(older); err != nil || !r.OK() {
				t.Errorf("the archive against %d entries: %+v, %v", w.Size, r, err)
			}
		} else if err != nil || !r.OK() {
			t.Errorf("witness of %d entries: %+v, %v", w.Size, r, err)
		}
	}
	if r, err := (Check{Keys: keys(), Witness: &kept[31]}).Verify(older); err != nil || r.OK() {
		t.Errorf("the archive alone against a checkpoint over all: %+v, %v", r, err)
	}
}

func TestWitnessIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, options())
	add(t, l, 3)
	closed(t, l)
	forged := lastOf(t, dir)
	forged.Size = 2
	foreign := Checkpoint{Origin: "another", Size: 1, Head: strings.Repeat("0", 64), Time: clock()}
	if err := foreign.sign(signer); err != nil {
		t.Fatal(err)
	}
	stranger := lastOf(t, dir)
	if err := stranger.sign(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Checkpoint{"forged": forged, "of another log": foreign, "of another key": stranger} {
		if _, err := (Check{Keys: keys(), Witness: &c}).Verify(dir); err == nil {
			t.Errorf("a checkpoint %s was taken", name)
		}
		if _, err := (Check{Keys: keys(), Archived: &c}).Verify(dir); err == nil {
			t.Errorf("a checkpoint %s was taken for an archive", name)
		}
	}
}

func TestLastCheckpointNeedsOne(t *testing.T) {
	t.Parallel()
	if _, err := LastCheckpoint(t.TempDir(), signer.Public()); err == nil {
		t.Error("a checkpoint of an empty directory")
	}
	dir := t.TempDir()
	closed(t, open(t, dir, options()))
	if _, err := LastCheckpoint(dir); err == nil {
		t.Error("a checkpoint of an unknown key")
	}
	writeLines(t, dir, checkpointsFile, []string{"{}"})
	if _, err := LastCheckpoint(dir, signer.Public()); err == nil {
		t.Error("a checkpoint that cannot be read")
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	c := Checkpoint{Origin: "o", Head: strings.Repeat("0", 64), Time: clock().UTC().Truncate(1e9)}
	if err := c.sign(signer); err != nil {
		f.Fatal(err)
	}
	text, err := c.Line()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(append(append([]byte("{}\n"), text...), '\n'))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCheckpoint(b)
		if err != nil {
			return
		}
		if text, err := c.Line(); err != nil || !bytes.Contains(b, text) {
			t.Errorf("%q is not what was read: %v", text, err)
		}
	})
}
