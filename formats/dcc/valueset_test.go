package dcc

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// Every code of every published value set, and nothing else.
func TestValueSetsAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	files := vectors.Files(t, "eu-valuesets", "*.json")
	if len(files) != len(published.sets) {
		t.Errorf("%d published sets, %d embedded", len(files), len(published.sets))
	}
	for _, file := range files {
		var want struct {
			ID     string `json:"valueSetId"`
			Date   string `json:"valueSetDate"`
			Values map[string]struct {
				Display, System string
				Active          bool
				Product         string   `json:"vaccine-code"`
				Holder          string   `json:"vaccine-manufacturer"`
				Prophylaxis     []string `json:"sct-codes"`
			} `json:"valueSetValues"`
		}
		if err := json.Unmarshal(read(t, file), &want); err != nil {
			t.Fatal(err)
		}
		set, ok := ValueSet(want.ID)
		if !ok || set.ID != want.ID || set.Date != want.Date || set.Len() != len(want.Values) {
			t.Errorf("%s: id, date or number of codes differ", filepath.Base(file))
		}
		for code, value := range want.Values {
			got, ok := set.Lookup(code)
			if want.ID == SetEncoding {
				e, known := EncodingOf(value.Product)
				if !ok || !known || e.Name != code || e.Holder != value.Holder || !slices.Equal(e.Prophylaxis, value.Prophylaxis) {
					t.Errorf("%s %s: %+v", want.ID, code, e)
				}
				continue
			}
			if !ok || got != (Value{Display: value.Display, System: value.System, Active: value.Active}) {
				t.Errorf("%s %s: %+v", want.ID, code, got)
			}
		}
	}
}

func TestUnknownSetsAndCodes(t *testing.T) {
	t.Parallel()
	if _, ok := ValueSet("vaccines"); ok {
		t.Error("there is no such set")
	}
	for _, id := range []string{SetDisease, SetProphylaxis, SetProduct, SetHolder, SetTestType, SetTestResult, SetTestDevice, SetCountry, SetEncoding} {
		set, ok := ValueSet(id)
		if !ok || set.Len() == 0 || !isDate(set.Date) {
			t.Errorf("%s is not embedded", id)
		}
		if _, ok := set.Lookup(""); ok {
			t.Errorf("%s has an empty code", id)
		}
	}
	if _, ok := EncodingOf("none"); ok {
		t.Error("there is no such product")
	}
	if value, ok := published.sets[SetProphylaxis].Lookup("J07BX03"); !ok || value.Active {
		t.Error("J07BX03 is known and no longer active")
	}
}
