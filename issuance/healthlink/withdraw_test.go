package healthlink

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestGoneLinksAnswerAlike: what is unknown, withdrawn, expired or used up cannot be told
// apart.
func TestGoneLinksAnswerAlike(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	withdrawn, _, withdrawnID := b.create(t, Options{})
	_, _, expiredID := b.create(t, Options{Expires: begin.Add(time.Minute)})
	_, _, usedID := b.create(t, Options{Passcode: passcode})
	m, err := b.Manifest(t.Context(), withdrawnID, Request{Recipient: "x", EmbeddedLengthMax: number(0)})
	if err != nil {
		t.Fatal(err)
	}
	ticket := m.Files[0].Location[strings.LastIndex(m.Files[0].Location, "/")+1:]
	if err := b.Withdraw(t.Context(), clinic, withdrawn.ID); err != nil {
		t.Fatal(err)
	}
	for range Attempts {
		_, _ = b.Manifest(t.Context(), usedID, ask("wrong one"))
	}
	b.clock.advance(time.Minute)
	for name, id := range map[string]string{
		"unknown":   base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"withdrawn": withdrawnID, "expired": expiredID, "used up": usedID,
		"no id": "x", "empty": "", "too long": withdrawnID + "A", "not canonical": strings.Repeat("A", 42) + "B",
	} {
		_, manifest := b.Manifest(t.Context(), id, ask(passcode))
		_, direct := b.Direct(t.Context(), id, "x")
		_, file := b.File(t.Context(), id, ticket)
		for kind, err := range map[string]error{"manifest": manifest, "direct": direct, "file": file} {
			if err != error(errLink) {
				t.Errorf("%s of %s: %v", kind, name, err)
			}
		}
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, who := range map[string]struct {
		issuer string
		all    bool
		want   fault.Kind
	}{"the issuer": {"clinic-specimen", false, 0}, "another": {"other-specimen", false, fault.NotFound}, "who revokes for all": {"registry-specimen", true, 0}} {
		created, _, id := b.create(t, Options{Passcode: passcode})
		issuer := clinic
		issuer.ID, issuer.RevokeAll = who.issuer, who.all
		for range 2 { // again is no error
			if err := b.Withdraw(t.Context(), issuer, created.ID); (err == nil) != (who.want == 0) || err != nil && fault.KindOf(err) != who.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := b.Manifest(t.Context(), id, ask(passcode))
		if gone := errors.Is(err, errLink); gone != (who.want == 0) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := b.store.Get(t.Context(), files, fileID(created.ID, 0)); errors.Is(err, docstore.ErrNotFound) != (who.want == 0) {
			t.Errorf("%s: ciphertext: %v", name, err)
		}
	}
	for _, id := range []string{"", "x", "\x00", strings.Repeat("a", 600)} {
		if err := b.Withdraw(t.Context(), registry, id); !errors.Is(err, errHandle) {
			t.Errorf("no handle: %v", err)
		}
	}
}

// TestWithdrawAfterACrash: the mark counts, and a second call removes the ciphertext.
func TestWithdrawAfterACrash(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	created, _, id := b.create(t, Options{})
	b.store.hook(func(call, _ string) error {
		if call == "delete" {
			return docstore.ErrUnavailable
		}
		return nil
	})
	if err := b.Withdraw(t.Context(), clinic, created.ID); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("first: %v", err)
	}
	if _, err := b.Manifest(t.Context(), id, ask("")); !errors.Is(err, errLink) {
		t.Errorf("the link still answers: %v", err)
	}
	b.store.hook(nil)
	if err := b.Withdraw(t.Context(), clinic, created.ID); err != nil {
		t.Errorf("second: %v", err)
	}
	if _, err := b.store.Get(t.Context(), files, fileID(created.ID, 0)); !errors.Is(err, docstore.ErrNotFound) {
		t.Errorf("the ciphertext stays: %v", err)
	}
}

func TestRevocationEndsAllLinks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var ids []string
	for range pageSize + 3 {
		_, _, id := b.create(t, Options{})
		ids = append(ids, id)
	}
	elsewhere, err := b.Create(t.Context(), clinic, "another", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.WithdrawFor(t.Context(), certificate); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		if _, err := b.Manifest(t.Context(), id, ask("")); !errors.Is(err, errLink) {
			t.Fatalf("a link still answers: %v", err)
		}
	}
	link, err := shlink.Parse(elsewhere.Text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Manifest(t.Context(), link.URL[len(link.URL)-idLength:], ask("")); err != nil {
		t.Errorf("the link of another certificate: %v", err)
	}
}

// TestRevocationDuringCreation runs the revocation at every store call of a creation.
func TestRevocationDuringCreation(t *testing.T) {
	t.Parallel()
	for step := 0; ; step++ {
		b := newBench(t)
		calls, ran := 0, false
		b.store.hook(func(string, string) error {
			calls++
			if !ran && calls == step+1 {
				ran = true
				if err := b.WithdrawFor(context.Background(), certificate); err != nil {
					t.Errorf("step %d: %v", step, err)
				}
			}
			return nil
		})
		created, err := b.Create(t.Context(), clinic, certificate, Options{})
		b.store.hook(nil)
		if !ran {
			if step < 3 {
				t.Errorf("only %d steps", step)
			}
			return
		}
		if err == nil {
			link, err := shlink.Parse(created.Text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Manifest(t.Context(), link.URL[len(link.URL)-idLength:], ask("")); !errors.Is(err, errLink) {
				t.Errorf("step %d: the link of a revoked certificate answers: %v", step, err)
			}
		} else if !errors.Is(err, errRevoked) {
			t.Errorf("step %d: %v", step, err)
		}
	}
}
