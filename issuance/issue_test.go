package issuance

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestSameRequestSameCertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.issue(t, request())
	if first.Replayed || first.Text == "" || len(first.Document) == 0 {
		t.Fatalf("first answer %+v", first)
	}
	again := b.issue(t, request())
	if !again.Replayed || again.Text != first.Text || !bytes.Equal(again.Document, first.Document) {
		t.Error("the same request gave another certificate")
	}
	if restarted, err := b.service(t).Issue(context.Background(), request()); err != nil || restarted.Text != first.Text {
		t.Errorf("after a restart: %v", err)
	}
	other := b.issue(t, request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "LOT-2" }))
	if other.Text == first.Text || other.ID == first.ID {
		t.Error("another content gave the same certificate")
	}
	if b.signer.signed != 2 || b.openRecords(t) != 0 {
		t.Errorf("%d signatures, %d open records", b.signer.signed, b.openRecords(t))
	}
}

func TestRacingSubmissionsIssueOneCertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	replica := b.service(t) // a second process on the same registry
	out := make([]Issued, 200)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			s := b.Service
			if i%2 == 1 {
				s = replica
			}
			var err error
			if out[i], err = s.Issue(context.Background(), request()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	fresh := 0
	for _, o := range out {
		if o.Text != out[0].Text || !bytes.Equal(o.Document, out[0].Document) {
			t.Fatal("racing submissions got different certificates")
		}
		if !o.Replayed {
			fresh++
		}
	}
	if b.signer.signed != 1 || fresh != 1 {
		t.Errorf("%d signatures, %d answers claim to be the first; want 1 and 1", b.signer.signed, fresh)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	keyed := request()
	keyed.IdempotencyKey = "k1"
	first := b.issue(t, keyed)
	if again := b.issue(t, keyed); again.Text != first.Text {
		t.Error("same key, same content, another certificate")
	}
	replacement := keyed
	replacement.IdempotencyKey = "k2"
	if second := b.issue(t, replacement); second.ID == first.ID {
		t.Error("another key must give another certificate: that is how a replacement is asked for")
	}
	reused := keyed
	reused.Core.Vaccination.Lot = "LOT-OTHER"
	if _, err := b.Issue(context.Background(), reused); !errors.Is(err, errKeyReused) {
		t.Errorf("key reused for other content: %v", err)
	}
	stranger := keyed
	stranger.Issuer.ID = "other-clinic"
	if out := b.issue(t, stranger); out.ID == first.ID {
		t.Error("two issuers share a key")
	}
}

func TestOnlyNew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := request()
	in.OnlyNew = true
	b.issue(t, in)
	if _, err := b.Issue(context.Background(), in); fault.KindOf(err) != fault.PreconditionFailed {
		t.Errorf("second time: %v", err)
	}
}

func TestIssuerRights(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, tc := range map[string]struct {
		in   Request
		want fault.Kind
	}{
		"profile":              {Request{Issuer: Issuer{ID: "x", Profiles: []string{"who-ddcc-tr"}, Authorities: []string{"moh"}}, Core: event()}, fault.Forbidden},
		"no profile":           {Request{Issuer: Issuer{ID: "x", Authorities: []string{"moh"}}, Core: event()}, fault.Forbidden},
		"authority":            {request(func(c *fhir.CoreDataSet) { c.Certificate.Issuer.Value = "other" }), fault.Forbidden},
		"unknown authority":    {request(func(c *fhir.CoreDataSet) { c.Certificate.Issuer.Value = "nobody" }), fault.Forbidden},
		"content":              {request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "" }), fault.Rule},
		"born expired":         {request(func(c *fhir.CoreDataSet) { c.Certificate.Period.End = "2026-11-20" }), fault.Rule},
		"future event":         {request(func(c *fhir.CoreDataSet) { c.Vaccination.Date = "2026-12-24" }), fault.Rule},
		"starts after its end": {request(func(c *fhir.CoreDataSet) { c.Certificate.Period.Start = "2090-01-01" }), fault.Rule},
		"nobody manufactured":  {request(func(c *fhir.CoreDataSet) { c.Vaccination.Manufacturer = fhir.Coding{} }), fault.Rule},
	} {
		if _, err := b.Issue(context.Background(), tc.in); fault.KindOf(err) != tc.want {
			t.Errorf("%s: %v, want kind %d", name, err, tc.want)
		}
		if _, err := b.Check(tc.in.Issuer, tc.in.Core, nil); fault.KindOf(err) != tc.want {
			t.Errorf("%s: the dry run says %v", name, err)
		}
	}
	if b.signer.signed != 0 {
		t.Errorf("%d signatures for refused requests", b.signer.signed)
	}
}

// TestNothingIsSignedThatHasNoDocument: what the document would refuse is refused before
// the signer is asked.
func TestNothingIsSignedThatHasNoDocument(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := request(func(c *fhir.CoreDataSet) { c.Certificate.Issuer.System = "urn:somebody-else" })
	if _, err := b.Issue(context.Background(), in); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an authority in a foreign namespace: %v", err)
	}
	if b.signer.signed != 0 || b.openRecords(t) != 0 {
		t.Errorf("%d signatures, %d open records", b.signer.signed, b.openRecords(t))
	}
	// An event read from a document carries that document's id; ours gets its own.
	first := b.issue(t, request(func(c *fhir.CoreDataSet) { c.Certificate.DDCCID = "01a1fc70-8ab5-72a5-a094-2d6d8acba932" }))
	if again := b.issue(t, request()); first.ID == "01a1fc70-8ab5-72a5-a094-2d6d8acba932" || again.ID != first.ID {
		t.Error("the id of the source document makes another certificate")
	}
}

// TestAuthorityIsWrittenAsRegistered: whatever namespace the event leaves out, certificate
// and document name the authority as it is registered; one without a namespace cannot be
// given one.
func TestAuthorityIsWrittenAsRegistered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	both := clinic
	both.Authorities = []string{"moh", "other"}
	bare := b.issue(t, request())
	full := b.issue(t, request(func(c *fhir.CoreDataSet) { c.Certificate.Issuer.System = "urn:test" }))
	if bare.ID != full.ID {
		t.Error("the same event with and without the registered namespace has two certificates")
	}
	in := request(func(c *fhir.CoreDataSet) {
		c.Certificate.Issuer = fhir.Identifier{System: "urn:gov:elsewhere", Value: "other"}
	})
	in.Issuer = both
	if _, err := b.Issue(context.Background(), in); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a namespace for an authority that has none: %v", err)
	}
}

// TestRefusedKeyClaimsNoHCID: a request that is refused for its key leaves nothing behind.
func TestRefusedKeyClaimsNoHCID(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := request()
	in.IdempotencyKey = "k"
	b.issue(t, in)
	in.Core.Certificate.HCID, in.Core.Name = "HCID-FREE", "Wrong Specimen"
	if _, err := b.Issue(context.Background(), in); !errors.Is(err, errKeyReused) {
		t.Fatal(err)
	}
	b.issue(t, request(func(c *fhir.CoreDataSet) { c.Certificate.HCID, c.Name = "HCID-FREE", "Right Specimen" }))
}

// TestModelIsPartOfTheRequest: proof of vaccination and continuity of care are two things.
func TestModelIsPartOfTheRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	noSex := func(c *fhir.CoreDataSet) { c.Sex = "" }
	care := b.issue(t, request(noSex))
	proof := b.issue(t, request(noSex, func(c *fhir.CoreDataSet) { c.Model = fhir.ModelVSPoV }))
	if care.ID == proof.ID {
		t.Error("a proof of vaccination was answered with the document of another model")
	}
}

// TestSignerRefusalsAreNotTheIssuersFault: only findings about the content reach the
// issuer as such.
func TestSignerRefusalsAreNotTheIssuersFault(t *testing.T) {
	t.Parallel()
	for code, want := range map[*fault.Error]fault.Kind{
		fault.New(fault.Forbidden, "caller-not-allowed", ""): fault.Upstream,
		fault.New(fault.Malformed, "intent-id", ""):          fault.Upstream,
		fault.New(fault.NotFound, "unknown-intent", ""):      fault.Upstream,
		fault.New(fault.Rule, "unknown-profile", ""):         fault.Upstream,
		fault.New(fault.Conflict, "intent-reused", ""):       fault.Upstream,
		fault.New(fault.Conflict, "intent-cancelled", ""):    fault.Unavailable,
		fault.New(fault.Unavailable, "signing", ""):          fault.Unavailable,
		fault.New(fault.Rule, "lint", ""):                    fault.Rule,
	} {
		b := newBench(t)
		b.signer.set("issue-before", code)
		if _, err := b.Issue(context.Background(), request()); fault.KindOf(err) != want {
			t.Errorf("%s reaches the issuer as %v", code.Code, err)
		}
	}
}

func TestTestCountriesStayInTests(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.testCountry = false
	if _, err := b.Issue(context.Background(), request()); fault.KindOf(err) != fault.Rule {
		t.Errorf("a test country was certified: %v", err)
	}
	b.issue(t, request(func(c *fhir.CoreDataSet) { c.Vaccination.Country.Code = "CHE" }))
}

func TestHCIDBelongsToOnePerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.issue(t, request())
	second := b.issue(t, request(func(c *fhir.CoreDataSet) {
		c.Vaccination.Dose, c.Vaccination.Date, c.Name = 2, "2026-11-01", "  ADAEZE   specimen "
		c.Name = strings.TrimSpace(c.Name)
	}))
	if second.FolderID != first.FolderID {
		t.Error("the second dose did not join the folder of the first")
	}
	if patientID(t, first.Document) != patientID(t, second.Document) {
		t.Error("the same holder has two Patient ids")
	}
	entries, err := b.Folder(context.Background(), clinic, first.FolderID)
	if err != nil || len(entries) != 2 {
		t.Errorf("folder has %d entries, %v; want both doses", len(entries), err)
	}
	for name, change := range map[string]func(*fhir.CoreDataSet){
		"name":              func(c *fhir.CoreDataSet) { c.Name = "Adaeze Specimens" },
		"birth date":        func(c *fhir.CoreDataSet) { c.BirthDate = "1987-04-13" },
		"birth date absent": func(c *fhir.CoreDataSet) { c.BirthDate = "" },
	} {
		if _, err := b.Issue(context.Background(), request(change)); !errors.Is(err, errHCID) {
			t.Errorf("another %s under the same HCID: %v", name, err)
		}
	}
	if b.openRecords(t) != 0 {
		t.Error("refused requests left open records")
	}
}

func patientID(t *testing.T, document []byte) string {
	t.Helper()
	i := bytes.Index(document, []byte(`"resourceType":"Patient","id":"`))
	if i < 0 {
		t.Fatal("no Patient in the document")
	}
	return string(document[i+31 : i+31+36])
}

func TestTwoPersonsRaceForOneHCID(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	names := []string{"Ama Specimen", "Bo Specimen", "Cy Specimen", "Di Specimen"}
	won := make([]bool, 40)
	var wg sync.WaitGroup
	for i := range won {
		wg.Go(func() {
			_, err := b.Issue(context.Background(), request(func(c *fhir.CoreDataSet) { c.Name = names[i%len(names)] }))
			won[i] = err == nil
			if err != nil && !errors.Is(err, errHCID) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	winners := map[int]bool{}
	for i, w := range won {
		if w {
			winners[i%len(names)] = true
		}
	}
	if len(winners) != 1 {
		t.Errorf("%d persons hold one HCID", len(winners))
	}
}

func TestHangingUpChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out, err := b.Issue(ctx, request())
	if err != nil {
		t.Fatal(err)
	}
	if again := b.issue(t, request()); again.Text != out.Text {
		t.Error("the certificate of a caller that hung up is lost")
	}
}

func TestReadOnlyByItsIssuer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := context.Background()
	out := b.issue(t, request())
	stranger := Issuer{ID: "other-clinic", Profiles: clinic.Profiles, Authorities: clinic.Authorities}
	if got, err := b.Get(ctx, clinic, out.ID); err != nil || !bytes.Equal(got.Document, out.Document) {
		t.Errorf("own document: %v", err)
	}
	if got, err := b.GetByReference(ctx, clinic, out.ReferenceID); err != nil || got.Text != out.Text {
		t.Errorf("own QR code: %v", err)
	}
	for name, try := range map[string]func() error{
		"document": func() error { _, err := b.Get(ctx, stranger, out.ID); return err },
		"QR code":  func() error { _, err := b.GetByReference(ctx, stranger, out.ReferenceID); return err },
		"folder":   func() error { _, err := b.Folder(ctx, stranger, out.FolderID); return err },
		"nothing":  func() error { _, err := b.Get(ctx, clinic, out.FolderID); return err },
	} {
		if err := try(); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s for a stranger: %v, want NotFound", name, err)
		}
	}
}

func TestReplayOutlivesTheAskedValidity(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := request(func(c *fhir.CoreDataSet) { c.Certificate.Period.End = "2026-12-01" })
	first := b.issue(t, in)
	b.pass(30 * 24 * time.Hour)
	if again := b.issue(t, in); again.Text != first.Text || !again.Replayed {
		t.Error("a repeated request after the end of validity lost its certificate")
	}
	fresh := request(func(c *fhir.CoreDataSet) { c.Certificate.Period.End, c.Vaccination.Lot = "2026-12-01", "NEW" })
	if _, err := b.Issue(context.Background(), fresh); fault.KindOf(err) != fault.Rule {
		t.Errorf("a new request with a passed end: %v", err)
	}
}

// TestStoresShowNoPerson reads the files of the stores as a thief would.
func TestStoresShowNoPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.issue(t, request())
	files, err := filepath.Glob(filepath.Join(filepath.Dir(b.path), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var all []byte
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	if !bytes.Contains(all, []byte(out.ID)) {
		t.Fatal("the files are not the ones that hold the record")
	}
	for _, secret := range []string{"Adaeze", "Specimen", "1987-04-12", "HCID-4711", "SPECIMEN-77", "LOT-1", "HC1:", "XM8NQ0"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the stores show %q", secret)
		}
	}
}

func TestValidUntil(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for end, want := range map[string]string{
		"2026-11-21":                "2026-11-21T23:59:59Z",
		"2027-02":                   "2027-02-28T23:59:59Z",
		"2027":                      "2027-12-31T23:59:59Z",
		"2026-11-21T14:00:00+01:00": "2026-11-21T13:00:00Z",
		"2026-11-20":                "",
		"2026-11-21T11:59:59Z":      "",
		"soon":                      "",
	} {
		got, err := validUntil(end, now)
		if want == "" {
			if err == nil {
				t.Errorf("%s: accepted as %v", end, got)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v; want %s", end, got, err, want)
		}
	}
	if got, err := validUntil("", now); got != nil || err != nil {
		t.Errorf("no end: %v, %v", got, err)
	}
}

// TestEventHasOneStandingCertificate: under its name an event is certified once. Other content
// is refused until the certificate is revoked; the same content posted without the name is
// the same certificate.
func TestEventHasOneStandingCertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	named := func(event, lot string) Request {
		in := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = lot })
		in.Event = event
		return in
	}
	unnamed := b.issue(t, named("", "LOT-1"))
	first := b.issue(t, named("fhir/Immunization/1", "LOT-1"))
	if first.ID != unnamed.ID || !first.Replayed {
		t.Error("an event that was posted before it was notified has two certificates")
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			lot := "LOT-2"
			if i%2 == 0 {
				lot = "LOT-3"
			}
			if _, err := b.Issue(context.Background(), named("fhir/Immunization/1", lot)); fault.KindOf(err) != fault.Conflict {
				t.Errorf("other content: %v", err)
			}
		})
	}
	wg.Wait()
	if other := b.issue(t, named("fhir/Immunization/2", "LOT-4")); other.ID == first.ID {
		t.Error("another event has the same certificate")
	}
	foreign := named("fhir/Immunization/1", "LOT-5")
	foreign.Issuer.ID = "other"
	if _, err := b.Issue(context.Background(), foreign); err != nil {
		t.Errorf("the name of another issuer's event: %v", err)
	}
	if id, err := b.Standing(context.Background(), request().Issuer.ID, "fhir/Immunization/1"); err != nil || id != first.ID {
		t.Errorf("%q stands: %v", id, err)
	}
	if err := b.Revoke(context.Background(), request().Issuer, first.ID, ReasonError); err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"fhir/Immunization/1", "fhir/Immunization/none", ""} {
		if id, err := b.Standing(context.Background(), request().Issuer.ID, event); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %q stands: %v", event, id, err)
		}
	}
	corrected, err := b.Issue(context.Background(), named("fhir/Immunization/1", "LOT-2"))
	if err != nil || corrected.ID == first.ID {
		t.Errorf("after the revocation: %v", err)
	}
}

// TestRacingVersionsOfAnEvent: of two contents of one event one is certified.
func TestRacingVersionsOfAnEvent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	replica := b.service(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for i := range 40 {
		wg.Go(func() {
			in := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = []string{"LOT-A", "LOT-B"}[i%2] })
			in.Event = "fhir/Immunization/7"
			s := b.Service
			if i%4 < 2 {
				s = replica
			}
			out, err := s.Issue(context.Background(), in)
			if err != nil && fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				ids[out.ID] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 {
		t.Errorf("%d certificates of one event", len(ids))
	}
}
