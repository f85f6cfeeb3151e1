package issuance

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// manyFormats may issue vaccinations in every format.
var manyFormats = Issuer{ID: "clinic", Authorities: []string{"moh"}, Profiles: []string{
	signing.ProfileDDCCVS, signing.ProfileDCCVaccination, signing.ProfileSHCImmunization, signing.ProfileVDSVaccination, signing.ProfileICVP,
}}

// inFormats asks for the formats of an event that can be said in all of them but ICVP.
func inFormats(formats ...Format) Request {
	return Request{Issuer: manyFormats, Core: event(translatable), Formats: formats}
}

// translatable gives the event the codes that the EU's value sets have an equivalent of.
func translatable(core *fhir.CoreDataSet) {
	core.Vaccination.MAHolder = fhir.Coding{System: "https://spor.ema.europa.eu/v1/organisations", Code: "ORG-100030215"}
	core.Vaccination.Country = fhir.Coding{System: "urn:iso:std:iso:3166", Code: "CHE"} // no test country has an alpha-2 code
	core.Vaccination.Disease = fhir.Coding{System: "http://id.who.int/icd11/mms", Code: "RA01"}
}

func formatsOf(certificates []Certificate) []Format {
	var formats []Format
	for _, c := range certificates {
		formats = append(formats, c.Format)
	}
	return formats
}

func TestOneEventInManyFormats(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.issue(t, inFormats(FormatDCC, FormatSHC, FormatVDSNC, FormatICVP))
	if got := formatsOf(out.Certificates()); !slices.Equal(got, []Format{FormatWHO, FormatDCC, FormatSHC, FormatVDSNC}) {
		t.Errorf("formats %v; left out %+v", got, out.LeftOut)
	}
	if len(out.LeftOut) != 1 || out.LeftOut[0].Format != FormatICVP || len(out.LeftOut[0].Issues) == 0 {
		t.Errorf("no word why there is no ICVP: %+v", out.LeftOut)
	}
	prefixes := []string{"HC1:", "HC1:", "shc:/", "{"}
	for i, c := range out.Certificates() {
		if !strings.HasPrefix(c.Text, prefixes[i]) || c.ReferenceID == "" || c.ID == "" {
			t.Errorf("%s: %+v", c.Format, c)
		}
		if !bytes.Contains(out.Document, []byte(`"id":"`+c.ReferenceID+`"`)) {
			t.Errorf("%s: the document has no such DocumentReference", c.Format)
		}
		found, err := b.GetByReference(context.Background(), manyFormats, c.ReferenceID)
		if one, ok := found.ByReference(c.ReferenceID); err != nil || !ok || one.Text != c.Text {
			t.Errorf("%s: not found by its reference: %v", c.Format, err)
		}
	}
	again := b.issue(t, inFormats(FormatDCC, FormatSHC, FormatVDSNC, FormatICVP))
	if !again.Replayed || len(again.Beside) != 3 || len(again.LeftOut) != 1 || b.signer.signed != 4 {
		t.Errorf("the same request again: %d signatures, %+v", b.signer.signed, again.LeftOut)
	}
}

func TestFormatsAreTheIssuersUnlessAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	byDefault := manyFormats
	byDefault.Formats = []Format{FormatWHO, FormatSHC}
	if got := formatsOf(b.issue(t, Request{Issuer: byDefault, Core: event(translatable)}).Certificates()); !slices.Equal(got, []Format{FormatWHO, FormatSHC}) {
		t.Errorf("by default: %v", got)
	}
	if got := formatsOf(b.issue(t, Request{Issuer: byDefault, Core: event(translatable), Formats: []Format{FormatWHO}}).Certificates()); !slices.Equal(got, []Format{FormatWHO}) {
		t.Errorf("asked for WHO's own alone: %v", got)
	}
	narrow := manyFormats
	narrow.Profiles = narrow.Profiles[:1]
	out := b.issue(t, Request{Issuer: narrow, Core: event(translatable), Formats: []Format{FormatWHO, FormatDCC}, IdempotencyKey: "narrow"})
	if len(out.Beside) != 0 || len(out.LeftOut) != 1 || out.LeftOut[0].Issues[0].Rule != "format-allowed" {
		t.Errorf("a format the issuer has no right to: %+v, %+v", formatsOf(out.Beside), out.LeftOut)
	}
}

// A refusal of one format touches no other; an outage leaves the whole event open.
func TestFormatsFailApart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refused := fault.New(fault.Rule, "lints-failed", "no").With(fault.Issue{Path: "claims", Rule: "qr-size", Detail: "too long", Fix: "shorten"})
	b.signer.set("issue:"+signing.ProfileDCCVaccination, refused)
	b.signer.set("issue:"+signing.ProfileSHCImmunization, errSignerAway)
	if _, err := b.Issue(context.Background(), inFormats(FormatDCC, FormatSHC)); fault.KindOf(err) != fault.Unavailable || b.openRecords(t) != 1 {
		t.Fatalf("an outage of one format: %v, %d open", err, b.openRecords(t))
	}
	b.signer.set("issue:"+signing.ProfileSHCImmunization, nil)
	out := b.issue(t, inFormats(FormatDCC, FormatSHC))
	if !slices.Equal(formatsOf(out.Beside), []Format{FormatSHC}) || len(out.LeftOut) != 1 || out.LeftOut[0].Issues[0].Rule != "qr-size" {
		t.Errorf("%v, %+v", formatsOf(out.Beside), out.LeftOut)
	}
}

func TestAbandonedFormatsAreCancelledToo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signer.set("document-before", errSignerAway)
	if _, err := b.Issue(context.Background(), inFormats(FormatDCC)); err == nil {
		t.Fatal("no failure")
	}
	b.pass(time.Hour)
	if done, err := b.Reconcile(context.Background()); err != nil || done.Cancelled != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if len(b.signer.cancelled) != 2 {
		t.Errorf("%d intents cancelled, want both formats", len(b.signer.cancelled))
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	out := b.issue(t, inFormats(FormatDCC, FormatSHC, FormatVDSNC))
	if err := b.Revoke(ctx, clinic, out.ID, "because"); fault.KindOf(err) != fault.Rule {
		t.Errorf("no reason: %v", err)
	}
	stranger := Issuer{ID: "stranger"}
	if err := b.Revoke(ctx, stranger, out.ID, ReasonFraud); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a stranger: %v", err)
	}
	if len(b.trail) != 0 {
		t.Errorf("refusals changed something: %+v", b.trail)
	}
	for range 2 {
		if err := b.Revoke(ctx, clinic, out.ID, ReasonError); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.trail) != 2 || b.trail[0].Action != actionRevokeIntent || b.trail[1].Action != actionRevoked || b.trail[1].Reason != ReasonError || b.trail[1].Actor != "clinic" {
		t.Errorf("audit trail %+v", b.trail)
	}
	entries, _, err := b.Revoked(ctx, "", 10)
	if err != nil || len(entries) != 4 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if err := e.Check(); err != nil {
			t.Errorf("%s cannot be published: %v", e.Format, err)
		}
	}
	if _, err := b.Get(ctx, clinic, out.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the document of a revoked certificate: %v", err)
	}
	if b.count(t, []string{out.ID}, documents) != 0 {
		t.Error("the content of a revoked certificate is still there")
	}
	if _, err := b.Issue(ctx, inFormats(FormatDCC, FormatSHC, FormatVDSNC)); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same request after the revocation: %v", err)
	}
}

// Nothing is revoked that is not on the audit log, and every failure after the decision is
// made good by the reconciler.
func TestRevocationSurvivesFailures(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	out := b.issue(t, request())
	b.mute = true
	if err := b.Revoke(ctx, clinic, out.ID, ReasonFraud); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("no audit log: %v", err)
	}
	b.mute = false
	if _, err := b.Get(ctx, clinic, out.ID); err != nil {
		t.Errorf("revoked without an audit entry: %v", err)
	}
	for _, step := range []string{"update-before:certificates", "update-after:certificates"} {
		t.Run(step, func(t *testing.T) {
			b := newBench(t)
			out := b.issue(t, request())
			b.store.arm(step)
			if err := b.Revoke(ctx, clinic, out.ID, ReasonFraud); fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("the failure was answered with %v", err)
			}
			if step == "update-before:certificates" { // nothing was decided: the caller asks again
				if err := b.Revoke(ctx, clinic, out.ID, ReasonFraud); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := b.Reconcile(ctx); err != nil {
				t.Fatal(err)
			}
			entries, _, err := b.Revoked(ctx, "", 10)
			if err != nil || len(entries) != 1 || b.count(t, []string{out.ID}, documents) != 0 {
				t.Errorf("%d entries, %v", len(entries), err)
			}
			if done, err := b.Reconcile(ctx); err != nil || done != (Reconciled{}) {
				t.Errorf("not settled: %+v, %v", done, err)
			}
		})
	}
}

func TestRacingRevocationsAreOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.issue(t, request())
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if err := b.Revoke(context.Background(), clinic, out.ID, ReasonHolder); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if entries, _, err := b.Revoked(context.Background(), "", 100); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestRevokeByKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	for i := range 7 {
		hcid := "HCID-" + string(rune('A'+i))
		b.issue(t, request(func(c *fhir.CoreDataSet) { c.Certificate.HCID = hcid }))
	}
	if _, err := b.RevokeByKey(ctx, clinic, []byte("12345678"), ReasonKeyCompromise, 3); fault.KindOf(err) != fault.Forbidden {
		t.Fatalf("a clinic: %v", err)
	}
	ministry := Issuer{ID: "ministry", RevokeAll: true}
	total, more := 0, true
	for calls := 0; more; calls++ {
		done, err := b.RevokeByKey(ctx, ministry, []byte("12345678"), ReasonKeyCompromise, 3)
		if err != nil || calls > 5 || done.Failed > 0 {
			t.Fatal(calls, done, err)
		}
		total, more = total+done.Revoked, done.More
	}
	if entries, _, err := b.Revoked(ctx, "", 100); err != nil || total != 7 || len(entries) != 7 {
		t.Errorf("%d revoked, %d entries, %v", total, len(entries), err)
	}
}

func TestSupersede(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	first := b.issue(t, request())
	corrected := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "LOT-2" })
	corrected.Supersedes = first.ID
	second := b.issue(t, corrected)
	if again := b.issue(t, corrected); again.ID != second.ID || !again.Replayed {
		t.Error("the same correction twice is not one certificate")
	}
	if _, err := b.Get(ctx, clinic, first.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the superseded certificate: %v", err)
	}
	status, err := b.Status(ctx, first.ID, "1987-04-12")
	if err != nil || status.Status != HolderSuperseded {
		t.Errorf("%+v, %v", status, err)
	}
	other := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "LOT-3" })
	other.Supersedes = first.ID
	if _, err := b.Issue(ctx, other); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second successor: %v", err)
	}
	other.Supersedes = "0192f3a4-0000-7000-8000-000000000000"
	if _, err := b.Issue(ctx, other); fault.KindOf(err) != fault.Rule {
		t.Errorf("an unknown predecessor: %v", err)
	}
}

func TestRacingSuccessorsAreOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.issue(t, request())
	var mu sync.Mutex
	issued, refused := 0, 0
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			in := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "LOT-" + string(rune('A'+i)) })
			in.Supersedes = first.ID
			_, err := b.Issue(context.Background(), in)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				issued++
			case fault.KindOf(err) == fault.Conflict:
				refused++
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if issued != 1 || refused != 7 {
		t.Errorf("%d successors, %d refused", issued, refused)
	}
}

func TestSuccessionSurvivesACrash(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	first := b.issue(t, request())
	corrected := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "LOT-2" })
	corrected.Supersedes = first.ID
	b.mute = true // the successor is issued, the predecessor cannot be revoked yet
	if _, err := b.Issue(ctx, corrected); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("%v", err)
	}
	b.mute = false
	if done, err := b.Reconcile(ctx); err != nil || done.Settled == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if status, err := b.Status(ctx, first.ID, "1987-04-12"); err != nil || status.Status != HolderSuperseded {
		t.Errorf("%+v, %v", status, err)
	}
	if out := b.issue(t, corrected); !out.Replayed {
		t.Error("the successor was issued twice")
	}
}

func TestStatusOfHolders(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	out := b.issue(t, inFormats(FormatSHC))
	status, err := b.Status(ctx, out.ID, "1987-04-12")
	if err != nil || status.Status != HolderValid || !slices.Equal(status.Formats, []Format{FormatWHO, FormatSHC}) {
		t.Errorf("%+v, %v", status, err)
	}
	_, wrongDate := b.Status(ctx, out.ID, "1987-04-13")
	_, wrongID := b.Status(ctx, "0192f3a4-0000-7000-8000-000000000000", "1987-04-12")
	if fault.KindOf(wrongDate) != fault.NotFound || wrongDate.Error() != wrongID.Error() {
		t.Errorf("a wrong date and a wrong id differ: %v, %v", wrongDate, wrongID)
	}
	b.pass(2 * time.Hour)
	if status, err := b.Status(ctx, out.ID, "1987-04-12"); err != nil || status.Status != HolderExpired {
		t.Errorf("%+v, %v", status, err)
	}
	if err := b.Revoke(ctx, clinic, out.ID, ReasonError); err != nil {
		t.Fatal(err)
	}
	if status, err := b.Status(ctx, out.ID, "1987-04-12"); err != nil || status.Status != HolderRevoked {
		t.Errorf("%+v, %v", status, err)
	}
}

// However many guess at once, a certificate answers so many wrong ones in a window, and no
// more; who is right spends nothing.
func TestStatusBudgetHoldsUnderRaces(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	out := b.issue(t, request())
	for range 3 * statusAttempts {
		if _, err := b.Status(ctx, out.ID, "1987-04-12"); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	answered := 0
	var group sync.WaitGroup
	for range 4 * statusAttempts {
		group.Go(func() {
			_, err := b.Status(ctx, out.ID, "1900-01-01")
			mu.Lock()
			defer mu.Unlock()
			if fault.KindOf(err) == fault.NotFound {
				answered++
			} else if fault.KindOf(err) != fault.TooMany {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if answered != statusAttempts {
		t.Errorf("%d guesses answered, want %d", answered, statusAttempts)
	}
	b.pass(statusWindow)
	if _, err := b.Status(ctx, out.ID, "1987-04-12"); err != nil {
		t.Errorf("after the window: %v", err)
	}
}

func TestRevokedIsListedInPages(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	for i := range 5 {
		hcid := "HCID-" + string(rune('A'+i))
		out := b.issue(t, request(func(c *fhir.CoreDataSet) { c.Certificate.HCID = hcid }))
		if err := b.Revoke(ctx, clinic, out.ID, ReasonHolder); err != nil {
			t.Fatal(err)
		}
	}
	listed := func() int {
		n := 0
		for after, pages := "", 0; ; pages++ {
			entries, next, err := b.Revoked(ctx, after, 2)
			if err != nil || pages > 3 {
				t.Fatal(pages, err)
			}
			n += len(entries)
			if next == "" {
				return n
			}
			after = next
		}
	}
	if n := listed(); n != 5 {
		t.Errorf("%d of 5 revocations listed", n)
	}
}
