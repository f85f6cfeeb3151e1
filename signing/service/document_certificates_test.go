package service

import (
	"context"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// shown is a DocumentReference of a certificate, as the gateway writes it.
func shown(t testing.TB, kind, system, text string) map[string]any {
	t.Helper()
	image, err := symbol.PNG(text)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"resourceType": "DocumentReference", "status": "current", "description": "QR code of the certificate, " + pictureNames[kind],
		"type": map[string]any{"coding": []any{map[string]any{"system": system, "code": kind}}},
		"content": []any{
			attached("image/png", image),
			attached("text/plain", []byte(text)),
		},
	}
}

func attached(kind string, data []byte) map[string]any {
	return map[string]any{"attachment": map[string]any{"contentType": kind, "data": base64.StdEncoding.EncodeToString(data)}}
}

const typeSystem = "http://smart.who.int/ddcc/CodeSystem/DDCCQRTypeCodeSystem"

// folder is a vaccination with every format beside it that has it, and its document.
type folder struct {
	*testBench
	event  signing.Certificate
	others []signing.Certificate
}

func newFolder(t *testing.T) folder {
	t.Helper()
	f := folder{testBench: newBench(t)}
	f.event = issued(t, f.testBench)
	for _, profile := range besides() {
		if signingtest.EventOf(profile) == signing.ProfileDDCCVS && profile != signing.ProfileICVP {
			f.others = append(f.others, f.beside(t, profile, f.event.ID))
		}
	}
	return f
}

func (f folder) beside(t *testing.T, profile, event string) signing.Certificate {
	t.Helper()
	in := signing.Intent{ID: uuid.NewString(), Event: event, Profile: profile, Issuer: "clinic", Claims: specimen(t, profile)}
	cert, err := f.Issue(context.Background(), caller, in)
	if err != nil {
		t.Fatal(profile, err, fault.From(err).Issues)
	}
	return cert
}

func (f folder) document(t *testing.T, certificates ...signing.Certificate) map[string]any {
	t.Helper()
	doc := documentOf(t, f.event)
	for _, c := range certificates {
		kind, system := kinds[c.Profile].picture, typeSystem
		if kind == "icvp" {
			system = "urn:ddcc-gateway:qr-type"
		}
		add(doc, shown(t, kind, system, c.Text))
	}
	return doc
}

func (f folder) sign(t *testing.T, doc map[string]any, certificates ...signing.Certificate) error {
	t.Helper()
	in := signing.DocumentIntent{ID: f.event.ID, Document: marshal(t, doc)}
	for _, c := range certificates {
		in.Certificates = append(in.Certificates, c.ID)
	}
	_, err := f.SignDocument(context.Background(), caller, in)
	return err
}

// reference is the i-th DocumentReference that document adds.
func reference(doc map[string]any, i int) map[string]any {
	entries, _ := doc["entry"].([]any)
	e, _ := entries[5+i].(map[string]any)
	r, _ := e["resource"].(map[string]any)
	return r
}

func TestDocumentShowsEveryFormat(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := f.sign(t, f.document(t, f.others...), f.others...); err != nil {
		t.Error(err, fault.From(err).Issues)
	}
	backwards := slices.Clone(f.others)
	slices.Reverse(backwards)
	if err := f.sign(t, f.document(t, backwards...), f.others...); err != nil {
		t.Error("in another order:", err, fault.From(err).Issues)
	}
	some := f.others[:1]
	if err := f.sign(t, f.document(t, some...), some...); err != nil {
		t.Error("one of them:", err)
	}
}

func TestDocumentShowsNoOtherCode(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	all := f.others
	attachmentOf := func(doc map[string]any, i, at int) map[string]any {
		contents, _ := reference(doc, i)["content"].([]any)
		c, _ := contents[at].(map[string]any)
		a, _ := c["attachment"].(map[string]any)
		return a
	}
	coding := func(doc map[string]any, i int) map[string]any {
		kind, _ := reference(doc, i)["type"].(map[string]any)
		c, _ := kind["coding"].([]any)[0].(map[string]any)
		return c
	}
	for name, tc := range map[string]struct {
		doc  func(t *testing.T) map[string]any
		with []signing.Certificate
	}{
		"one not named":           {func(t *testing.T) map[string]any { return f.document(t, all...) }, all[1:]},
		"one not shown":           {func(t *testing.T) map[string]any { return f.document(t, all[1:]...) }, all},
		"one shown twice":         {func(t *testing.T) map[string]any { return f.document(t, append(slices.Clone(all), all[0])...) }, all},
		"one in place of another": {func(t *testing.T) map[string]any { return f.document(t, all[0]) }, all[1:2]},
		"the event twice":         {func(t *testing.T) map[string]any { return f.document(t, f.event) }, nil},
		"another type": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			coding(doc, 0)["code"] = "divoc"
			return doc
		}, all},
		"another system": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			coding(doc, 0)["system"] = "http://elsewhere.example"
			return doc
		}, all},
		"no type": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			delete(reference(doc, 0), "type")
			return doc
		}, all},
		"another description": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			reference(doc, 0)["description"] = "QR code of the certificate, WHO DDCC"
			return doc
		}, all},
		"picture of another": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			attachmentOf(doc, 0, 0)["data"] = attachmentOf(doc, 1, 0)["data"]
			return doc
		}, all},
		"picture at another level": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			for i, c := range all {
				s, err := qr.Encode(c.Text, qr.L)
				if err != nil {
					t.Fatal(err)
				}
				if image, err := s.PNG(qr.DefaultScale, qr.DefaultQuiet); err == nil && c.Profile == signing.ProfileDCCVaccination {
					attachmentOf(doc, i, 0)["data"] = base64.StdEncoding.EncodeToString(image)
				}
			}
			return doc
		}, all},
		"no picture": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			contents, _ := reference(doc, 0)["content"].([]any)
			reference(doc, 0)["content"] = contents[1:]
			return doc
		}, all},
		"retracted": {func(t *testing.T) map[string]any {
			doc := f.document(t, all...)
			reference(doc, 0)["status"] = "entered-in-error"
			return doc
		}, all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := f.sign(t, tc.doc(t), tc.with...)
			if f := fault.From(err); err == nil || f.Kind != fault.Rule || len(f.Issues) == 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestDocumentShowsAnICVP, in the gateway's own system: the guide's has no type for it.
func TestDocumentShowsAnICVP(t *testing.T) {
	t.Parallel()
	f := folder{testBench: newBench(t)}
	event := signingtest.Event(signing.ProfileICVP)
	var err error
	if f.event, err = f.Issue(context.Background(), caller, intent(func(i *signing.Intent) { i.Claims = event })); err != nil {
		t.Fatal(err)
	}
	card := f.beside(t, signing.ProfileICVP, f.event.ID)
	document := func() map[string]any {
		doc := f.document(t, card)
		shot, v := resourceAt(doc, 2), event.DDCC.Vaccination
		brand := map[string]any{"system": v.Brand.System, "code": v.Brand.Code}
		extensionAt(shot, 0)["valueCoding"] = brand
		shot["vaccineCode"] = map[string]any{"coding": []any{map[string]any{"system": v.Vaccine.System, "code": v.Vaccine.Code}}}
		return doc
	}
	if err := f.sign(t, document(), card); err != nil {
		t.Error(err, fault.From(err).Issues)
	}
	doc := document()
	kind, _ := reference(doc, 0)["type"].(map[string]any)
	kind["coding"].([]any)[0].(map[string]any)["system"] = typeSystem
	if err := f.sign(t, doc, card); fault.KindOf(err) != fault.Rule {
		t.Errorf("in the system of the guide: %v", err)
	}
}

// TestDocumentNamesItsOwnCertificates: released, beside this event, each once.
func TestDocumentNamesItsOwnCertificates(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	elsewhere := issued(t, f.testBench)
	foreign := f.beside(t, signing.ProfileDCCVaccination, elsewhere.ID)
	cancelled := f.others[1]
	f.others = f.others[:1]
	if _, err := f.Cancel(context.Background(), caller, cancelled.ID); err != nil {
		t.Fatal(err)
	}
	unknown := f.others[0]
	unknown.ID = uuid.NewString()
	nameless := f.others[0]
	nameless.ID = "1"
	for name, certificates := range map[string][]signing.Certificate{
		"of another event": {foreign}, "cancelled": {cancelled}, "unknown": {unknown}, "no id": {nameless},
		"twice": {f.others[0], f.others[0]}, "the event": {f.event}, "too many": slices.Repeat(f.others, 60),
	} {
		before := f.signatures()
		err := f.sign(t, f.document(t, certificates[0]), certificates...)
		if got := fault.From(err); err == nil || got.Kind != fault.Rule || got.Issues[0].Rule != "document-certificates" {
			t.Errorf("%s: %v", name, err)
		}
		if f.signatures() != before {
			t.Errorf("%s: a key was used", name)
		}
	}
	f.event = f.others[0]
	if err := f.sign(t, f.document(t)); fault.KindOf(err) != fault.Rule {
		t.Errorf("a document of another format: %v", err)
	}
}
