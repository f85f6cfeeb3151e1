package card

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Each mistake is named by its field and rule, all at once, without the value.
func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	const secret = "Zoraida"
	long := secret + strings.Repeat("x", MaxText)
	for _, c := range []struct {
		path, rule string
		spoil      func(*Card)
	}{
		{"hcid", "card-hcid", func(c *Card) { c.HCID = "" }},
		{"hcid", "card-hcid", func(c *Card) { c.HCID = secret + "é" }},
		{"hcid", "card-hcid", func(c *Card) { c.HCID = secret + " 1" }},
		{"hcid", "card-hcid", func(c *Card) { c.HCID = strings.Repeat("1", MaxHCID+1) }},
		{"authority", "card-length", func(c *Card) { c.Authority = long }},
		{"holder.name", "card-required", func(c *Card) { c.Holder.Name = "" }},
		{"holder.name", "card-length", func(c *Card) { c.Holder.Name = long }},
		{"holder.birthDate", "card-utf8", func(c *Card) { c.Holder.BirthDate = secret + "\xff" }},
		{"holder.sex", "card-sex", func(c *Card) { c.Holder.Sex = secret }},
		{"events", "card-events", func(c *Card) { c.Events = nil }},
		{"events", "card-events", func(c *Card) { c.Events = make([]Event, MaxEvents+1) }},
		{"events[1]", "card-kind", func(c *Card) { c.Events[1].Vaccination = nil }},
		{"events[1]", "card-kind", func(c *Card) { c.Events[1].Test = &Test{} }},
		{"events[0].id", "card-length", func(c *Card) { c.Events[0].ID = long }},
		{"events[1].vaccination.lot", "card-length", func(c *Card) { c.Events[1].Vaccination.Lot = long }},
		{"events[1].vaccination.dose", "card-dose", func(c *Card) { c.Events[1].Vaccination.Dose = -1 }},
		{"events[1].vaccination.totalDoses", "card-dose", func(c *Card) { c.Events[1].Vaccination.TotalDoses = MaxSequence + 1 }},
		{"events[0].test.result", "card-length", func(c *Card) { c.Events[0] = Event{Test: &Test{Result: long}} }},
		{"events[0].codes", "card-codes", func(c *Card) { c.Events[0].Codes = slices.Repeat(c.Events[0].Codes, MaxCodes+1) }},
		{"events[0].codes[0].symbol", "card-required", func(c *Card) { c.Events[0].Codes[0].Symbol = nil }},
		{"events[0].codes[0].format", "card-length", func(c *Card) { c.Events[0].Codes[0].Format = long }},
	} {
		card := english(t)
		c.spoil(&card)
		_, _, err := PDF(card, Options{Now: now})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Rule || len(f.Issues) != 1 {
			t.Errorf("%s %s: %v", c.path, c.rule, err)
			continue
		}
		i := f.Issues[0]
		if i.Path != c.path || i.Rule != c.rule || i.Fix == "" || !strings.HasPrefix(i.Detail, c.path) {
			t.Errorf("%s %s: got %+v", c.path, c.rule, i)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, f.Issues), secret) {
			t.Errorf("%s %s: the value is repeated", c.path, c.rule)
		}
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, _, err := PDF(Card{}, Options{})
	if f := fault.From(err); len(f.Issues) != 3 {
		t.Errorf("issues %+v", f.Issues)
	}
	_, err = QROnly(nil, strings.Repeat("x", MaxText+1), "en")
	if f := fault.From(err); len(f.Issues) != 2 {
		t.Errorf("issues %+v", f.Issues)
	}
}
