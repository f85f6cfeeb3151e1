package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// beside holds an intent of another format against the event it names: the WHO DDCC that
// was released for the same issuer, read back from its text. A DDCC names no event.
func (s *Service) beside(ctx context.Context, caller string, k kind, in signing.Intent) error {
	if k.event == "" {
		if in.Event != "" {
			return errEvent.With(eventIssue("event", "A WHO DDCC is the event itself.", "Leave it out."))
		}
		return nil
	}
	if id, err := uuid.Parse(in.Event); err != nil || id.String() != in.Event || in.Event == in.ID {
		return errEvent.With(eventIssue("event", "A certificate of this profile stands beside a WHO DDCC.", "Name the intent of the event's WHO DDCC."))
	}
	event, err := s.ledger.find(ctx, in.Event)
	if err != nil {
		return notReleased(err)
	}
	if event.Profile != k.event || event.Issuer != in.Issuer {
		return errEvent.With(eventIssue("event", "The event is of another kind or of another issuer.", "Name the event of this certificate."))
	}
	grant, err := s.policy.AdmitDocument(caller, event.Profile)
	if err != nil {
		return err
	}
	m, err := reader.Decode(event.Text)
	if err != nil {
		return fault.New(fault.Internal, "event-unreadable", "").Because(err)
	}
	content, ok := m.Claims.SubClaims[grant.SubClaim].(map[string]any)
	if !ok {
		return fault.New(fault.Internal, "event-unreadable", "").Because(errors.New("the released certificate has no content"))
	}
	if issues := statementOf(in.Claims).against(content); len(issues) > 0 {
		return errEvent.With(issues...)
	}
	return nil
}

// stands looks again, after the signature, whether the event was cancelled meanwhile.
func (s *Service) stands(ctx context.Context, event string) error {
	if event == "" {
		return nil
	}
	_, err := s.ledger.find(ctx, event)
	return notReleased(err)
}

// notReleased turns a look into the ledger into what it means for an event.
func notReleased(err error) error {
	if errors.Is(err, errUnknown) || errors.Is(err, errCancelled) {
		return errEvent.With(eventIssue("event", "No WHO DDCC stands released under this id.", "Have the WHO DDCC of the event issued first."))
	}
	return err
}

func eventIssue(path, detail, fix string) fault.Issue {
	return fault.Issue{Path: path, Rule: errEvent.Code, Detail: detail, Fix: fix}
}

// said is one thing that a certificate says about its event, with its place.
type said struct{ path, value string }

// statement is what the formats say alike. A member that a format does not have is empty.
type statement struct{ birth, date, dose, lot said }

// statementOf takes from claims that hold exactly one event what can be compared.
func statementOf(c signing.Claims) statement {
	switch {
	case c.DCC != nil:
		s := statement{birth: said{"claims.dcc.dob", c.DCC.BirthDate}}
		for _, v := range c.DCC.Vaccinations {
			s.date, s.dose = said{"claims.dcc.v[0].dt", v.Date}, number("claims.dcc.v[0].dn", v.Dose)
		}
		for _, t := range c.DCC.Tests {
			s.date = said{"claims.dcc.t[0].sc", t.Sampled}
		}
		for _, r := range c.DCC.Recoveries {
			s.date = said{"claims.dcc.r[0].fr", r.FirstPositive}
		}
		return s
	case c.ICVP != nil:
		v := c.ICVP.Vaccination
		return statement{
			birth: said{"claims.icvp.birthDate", c.ICVP.BirthDate},
			date:  said{"claims.icvp.vaccination.date", v.Date}, lot: said{"claims.icvp.vaccination.batch", v.Batch},
		}
	case c.SHC != nil:
		s := statement{birth: said{"claims.shc.patient.birthDate", c.SHC.Patient.BirthDate}}
		for _, i := range c.SHC.Immunizations {
			s.date, s.lot = said{"claims.shc.immunizations[0].date", i.Date}, said{"claims.shc.immunizations[0].lot", i.Lot}
		}
		for _, o := range c.SHC.Observations {
			s.date = said{"claims.shc.observations[0].date", o.Date}
		}
		return s
	case c.VDSNC != nil:
		return sealStatement(c)
	}
	return statement{}
}

func sealStatement(c signing.Claims) statement {
	s := statement{birth: said{"claims.vdsnc.pid.dob", c.VDSNC.Person.BirthDate}}
	if c.VDSNC.Times != nil {
		s.date = said{"claims.vdsnc.dat.sc", c.VDSNC.Times.Sampled}
	}
	for _, v := range c.VDSNC.Vaccinations {
		for _, d := range v.Doses {
			const dose = "claims.vdsnc.ve[0].vd[0]"
			s.date, s.dose, s.lot = said{dose + ".dvc", d.Date}, number(dose+".seq", d.Number), said{dose + ".lot", d.Lot}
		}
	}
	return s
}

func number(path string, n int) said { return said{path, fmt.Sprint(n)} }

// against compares a statement with the content of the event's DDCC as the reader gave it.
func (s statement) against(content map[string]any) (issues []fault.Issue) {
	event := dig(content, "vaccination")
	if event == nil {
		event = dig(content, "test")
	}
	for _, one := range []struct {
		said
		event any
		agree func(stated, event string) bool
	}{
		{s.birth, dig(content, "birthDate"), sameBirth},
		{s.date, dig(event, "date"), sameTime},
		{s.dose, dig(event, "dose"), same},
		{s.lot, dig(event, "lot"), same},
	} {
		if one.value == "" || one.event == nil {
			continue // one of them does not say
		}
		if !one.agree(one.value, fmt.Sprint(one.event)) {
			issues = append(issues, eventIssue(one.path, "It differs from the WHO DDCC of the event.", "State the event as it was certified."))
		}
	}
	if s.date.value == "" {
		issues = append(issues, eventIssue("claims", "The certificate does not say when the event was.", "State its date."))
	}
	return issues
}

func same(stated, event string) bool { return stated == event }

// sameBirth compares dates that may be partial on either side.
func sameBirth(stated, event string) bool { return coarser(stated, event) || coarser(event, stated) }

// sameTime compares times of an event. Two instants are compared as such, whatever their
// zones; a date is compared with the calendar day as it was noted. The certificate may be
// coarser than the event, never finer.
func sameTime(stated, event string) bool {
	a, exact := time.Parse(time.RFC3339, stated)
	b, exactly := time.Parse(time.RFC3339, event)
	if exact == nil && exactly == nil {
		return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) // some formats have no fractions
	}
	return coarser(stated, event)
}

// coarser reports whether a is b, or a date of which b is part.
func coarser(a, b string) bool {
	rest, ok := strings.CutPrefix(b, a)
	const year, month, day = len("2006"), len("2006-01"), len("2006-01-02")
	switch len(a) {
	case year, month:
		return ok && (rest == "" || rest[0] == '-')
	case day:
		return ok && (rest == "" || rest[0] == 'T')
	}
	return a == b
}
