package issuance

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestFailureAtEveryStep breaks one step of the cycle, before or after it took effect.
// The caller must hear "try again", and the same request again must give one and the
// same certificate.
func TestFailureAtEveryStep(t *testing.T) {
	t.Parallel()
	store := []string{
		"insert-before:folders", "insert-after:folders", "insert-before:certificates", "insert-after:certificates",
		"insert-before:documents", "insert-after:documents", "update-before:certificates", "update-after:certificates",
	}
	signer := []string{"issue-before", "issue-after", "document-before", "document-after"}
	for _, step := range append(store, signer...) {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.store.arm(step)
			b.signer.set(step, errSignerAway)
			if _, err := b.Issue(context.Background(), request()); fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("the failure was answered with %v", err)
			}
			b.signer.set(step, nil)
			restarted := b.service(t)
			first, err := restarted.Issue(context.Background(), request())
			if err != nil {
				t.Fatal(err)
			}
			again, err := b.Issue(context.Background(), request())
			if err != nil || again.Text != first.Text || string(again.Document) != string(first.Document) {
				t.Errorf("the request has two certificates, %v", err)
			}
			if b.signer.signed != 1 || b.openRecords(t) != 0 {
				t.Errorf("%d signatures, %d open records", b.signer.signed, b.openRecords(t))
			}
		})
	}
}

// TestReconcilerEndsEveryRecord breaks each step and lets nobody ask again.
func TestReconcilerEndsEveryRecord(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]Reconciled{
		"insert-after:certificates":  {Cancelled: 1},
		"issue-before":               {Cancelled: 1},
		"issue-after":                {Cancelled: 1},
		"document-after":             {Cancelled: 1},
		"insert-before:documents":    {Cancelled: 1},
		"insert-after:documents":     {Finished: 1},
		"update-before:certificates": {Finished: 1},
		"update-after:certificates":  {},
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.store.arm(step)
			b.signer.set(step, errSignerAway)
			if _, err := b.Issue(context.Background(), request()); err == nil {
				t.Fatal("the failure went unnoticed")
			}
			b.signer.set(step, nil)
			if done, err := b.Reconcile(context.Background()); err != nil || done != (Reconciled{}) {
				t.Errorf("within the grace period: %+v, %v", done, err)
			}
			b.pass(16 * time.Minute)
			if done, err := b.Reconcile(context.Background()); err != nil || done != want {
				t.Errorf("after it: %+v, %v; want %+v", done, err, want)
			}
			if n := b.openRecords(t); n != 0 {
				t.Errorf("%d records without an end", n)
			}
			out := b.issue(t, request())
			if out.Replayed != (want.Finished == 1 || step == "update-after:certificates") {
				t.Errorf("the request again: replayed=%v", out.Replayed)
			}
		})
	}
}

func TestReconcilerSurvivesFailuresOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signer.set("document-before", errSignerAway)
	if _, err := b.Issue(context.Background(), request()); err == nil {
		t.Fatal("no failure")
	}
	b.pass(time.Hour)
	b.signer.set("cancel", errSignerAway)
	if done, err := b.Reconcile(context.Background()); err != nil || done.Failed != 1 {
		t.Fatalf("signer away: %+v, %v", done, err)
	}
	// The record is being cancelled: nobody may finish it any more.
	b.signer.set("document-before", nil)
	if _, err := b.Issue(context.Background(), request()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a record in cancellation was finished: %v", err)
	}
	b.signer.set("cancel", nil)
	b.store.arm("update-before:certificates")
	if done, _ := b.Reconcile(context.Background()); done.Failed != 1 {
		t.Errorf("registry away: %+v", done)
	}
	if done, _ := b.Reconcile(context.Background()); done.Cancelled != 1 || b.openRecords(t) != 0 {
		t.Errorf("third pass: %+v", done)
	}
	b.issue(t, request())
}

// TestReconcilerRacesDrivers: whatever order they come in, a record has one end and every
// answer given is the certificate that is stored.
func TestReconcilerRacesDrivers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 20 {
		in := request()
		in.IdempotencyKey = fmt.Sprintf("race-%d", i)
		b.signer.set("issue-after", errSignerAway)
		if _, err := b.Issue(context.Background(), in); err == nil {
			t.Fatal("no failure")
		}
		b.signer.set("issue-after", nil)
		b.pass(time.Hour)
		var out Issued
		var issueErr error
		var wg sync.WaitGroup
		wg.Go(func() { out, issueErr = b.Issue(context.Background(), in) })
		wg.Go(func() {
			if _, err := b.Reconcile(context.Background()); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if rec := b.documentCount(t); rec != b.issuedCount(t) {
			t.Fatalf("%d documents for %d issued records", rec, b.issuedCount(t))
		}
		if issueErr == nil {
			stored, err := b.Get(context.Background(), clinic, out.ID)
			if err != nil || stored.Text != out.Text {
				t.Fatalf("an answered certificate is not issued: %v", err)
			}
		}
		b.pass(time.Hour)
		if _, err := b.Reconcile(context.Background()); err != nil || b.openRecords(t) != 0 {
			t.Fatalf("%d records without an end, %v", b.openRecords(t), err)
		}
	}
}

func TestRefusedBySignerForGoodIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refusal := fault.New(fault.Rule, "lint", "too large")
	b.signer.set("issue-before", refusal)
	if _, err := b.Issue(context.Background(), request()); fault.KindOf(err) != fault.Rule {
		t.Errorf("got %v", err)
	}
	if b.openRecords(t) != 0 {
		t.Error("the refused record stays open")
	}
	b.signer.set("issue-before", nil)
	b.issue(t, request())
}
