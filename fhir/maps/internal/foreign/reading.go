package foreign

import (
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// MaxEvents bounds the readings of one certificate. A life has fewer vaccinations.
const MaxEvents = 100

// RuleEvents marks a certificate without an event, or with too many of them.
const RuleEvents = "event-count"

// Unreadable is the one reading of a certificate that has no event to read.
func Unreadable(path, rule, detail, fix string) []maps.Reading {
	return []maps.Reading{{Issues: []fault.Issue{{Path: path, Rule: rule, Detail: detail, Fix: fix}}}}
}

// NoEvent is the reading of a certificate without an event.
func NoEvent(path string) []maps.Reading {
	return Unreadable(path, RuleEvents, "The certificate holds no event this gateway reads.", "Send a certificate of a vaccination or of a test.")
}

// TooMany is the reading of a certificate of unreasonable size.
func TooMany(path string) []maps.Reading {
	return Unreadable(path, RuleEvents, "The certificate holds more than "+strconv.Itoa(MaxEvents)+" events, or more data than a certificate has.",
		"Send a certificate with fewer events.")
}

// Model names the model that has room for what was read: the sex has a place in the
// vaccination certificate for continuity of care alone, which needs the centre too. Where
// it has none, it is left out.
func Model(core *fhir.CoreDataSet) {
	switch {
	case core.Test != nil:
		core.Model, core.Sex = fhir.ModelTR, ""
	case core.Sex != "" && core.Vaccination.Centre != "":
		core.Model = fhir.ModelVSCoC
	default:
		core.Model, core.Sex = fhir.ModelVSPoV, ""
	}
}
