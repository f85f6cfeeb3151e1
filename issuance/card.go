package issuance

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/formats/card"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Card is the holder's card as a PDF: the certificate and every other of its folder that was
// issued for this issuer, oldest event first, with all their QR codes. language is a BCP 47
// tag; the nearest language there is is used. Of more events than a card can
// have the latest are shown; a character that no font has is a box.
func (s *Service) Card(ctx context.Context, issuer Issuer, id, language string) ([]byte, error) {
	rec, err := s.registry.get(ctx, id)
	if _, err := s.read(ctx, issuer, rec, err); err != nil {
		return nil, err
	}
	entries, err := s.Folder(ctx, issuer, rec.FolderID)
	if err != nil {
		return nil, err
	}
	page := card.Card{Language: language}
	dates := map[string]string{} // of the events, by certificate
	for _, e := range entries {
		out, err := s.documents.Get(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		core, issues := maps.CoreDataSetFromResources(out.Document)
		if fault.HasErrors(issues) {
			return nil, errUnreadable.Because(errContent.With(issues...))
		}
		event, err := cardEvent(core, out)
		if err != nil {
			return nil, fault.From(err)
		}
		page.Events = append(page.Events, event)
		dates[event.ID] = eventDate(core)
		s.cardHead(&page, core)
	}
	slices.SortStableFunc(page.Events, func(a, b card.Event) int { return strings.Compare(dates[a.ID], dates[b.ID]) })
	page.Events = page.Events[max(0, len(page.Events)-card.MaxEvents):]
	pdf, _, err := card.PDF(page, card.Options{Now: s.now()})
	if err != nil {
		return nil, fault.From(err)
	}
	return pdf, nil
}

// cardHead fills in what stands above the events: of a folder's certificates the youngest
// counts.
func (s *Service) cardHead(page *card.Card, core fhir.CoreDataSet) {
	page.Authority = s.authorities[core.Certificate.Issuer.Value].Name
	page.HCID = core.Certificate.HCID
	page.Holder = card.Holder{Name: core.Name, BirthDate: core.BirthDate, Sex: core.Sex}
	if core.Identifier != nil {
		page.Holder.Identifier = core.Identifier.Value
	}
}

func cardEvent(core fhir.CoreDataSet, out Issued) (card.Event, error) {
	event := card.Event{
		ID: out.ID, IssuedAt: out.IssuedAt.UTC().Format(time.RFC3339),
		ValidFrom: core.Certificate.Period.Start, ValidUntil: out.ExpiresAt.UTC().Format(time.RFC3339),
	}
	if v := core.Vaccination; v != nil {
		event.Vaccination = cardVaccination(*v)
	}
	if t := core.Test; t != nil {
		event.Test = cardTest(*t)
	}
	for _, c := range out.Certificates() {
		drawn, err := symbol.For(c.Text)
		if err != nil {
			return card.Event{}, err
		}
		event.Codes = append(event.Codes, card.Code{Format: string(c.Format), Symbol: drawn})
	}
	return event, nil
}

// eventDate is the calendar day of an event, as it was written.
func eventDate(core fhir.CoreDataSet) string {
	date := ""
	switch {
	case core.Vaccination != nil:
		date = core.Vaccination.Date
	case core.Test != nil:
		date = core.Test.Date
	}
	return date[:min(len(date), len(time.DateOnly))]
}

func cardVaccination(v fhir.Vaccination) *card.Vaccination {
	maker := v.Manufacturer
	if maker.IsZero() {
		maker = v.MAHolder
	}
	return &card.Vaccination{
		Disease: words(v.Disease), Vaccine: words(v.Vaccine), Brand: words(v.Brand), Manufacturer: words(maker), Lot: v.Lot, Date: v.Date,
		Dose: v.Dose, TotalDoses: v.TotalDoses, Country: words(v.Country), Centre: v.Centre, Practitioner: v.Practitioner.Value, NextDose: v.NextDose,
	}
}

func cardTest(t fhir.Test) *card.Test {
	return &card.Test{
		Pathogen: words(t.Pathogen), Type: words(t.Type), Brand: words(t.Brand), Manufacturer: words(t.Manufacturer), Origin: words(t.Origin),
		SampledAt: t.Date, Result: words(t.Result), Centre: words(t.Centre), Country: words(t.Country),
	}
}

// words say a code to people: as the issuer put it, else as its code system does, else the
// code itself.
func words(c fhir.Coding) string {
	if c.Display != "" {
		return c.Display
	}
	if text, ok := terminology.Display(c.System, c.Code); ok {
		return text
	}
	return c.Code
}

// PDF is the QR code of the certificate on a page of its own.
func (c Certificate) PDF(language string) ([]byte, error) {
	drawn, err := symbol.For(c.Text)
	if err != nil {
		return nil, fault.From(err)
	}
	page, err := card.QROnly(drawn, qrCaptions[c.Format], language)
	if err != nil {
		return nil, fault.From(err)
	}
	return page, nil
}

// qrCaptions name the formats as their owners do, in every language.
var qrCaptions = map[Format]string{
	FormatWHO: "WHO DDCC", FormatDCC: "EU DCC", FormatDCCRecovery: "EU DCC", FormatSHC: "SMART Health Card",
	FormatVDSNC: "ICAO VDS-NC", FormatICVP: "WHO ICVP",
}
