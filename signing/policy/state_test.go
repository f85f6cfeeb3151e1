package policy_test

import "testing"

// A policy without the state of seals in between does not let the state change.
func TestStateDoesNotChangeInTwoSteps(t *testing.T) {
	t.Parallel()
	f := open(t, good)
	const seals = `{"name": "icao-vacc", "usage": "vdsnc", "maxValidity": "72h"}`
	for _, step := range []string{more(t, seals, `"UTO"`), good, more(t, seals, `"XXA"`)} {
		_, _ = f.change(step)
	}
	if f.ICAOState() == "XXA" {
		t.Error("seals of another state, at run time")
	}
}
