package maps

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/element"
	"github.com/trustedparty/ddcc-gateway/fhir/internal/jsontree"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// CoreDataSetFromResources maps a Bundle of resources (map ResourcesToVSCoreDataSet), a
// DDCC document of our own or another's included. It reads both generations of the
// extensions, references in any form, and one event: a bundle with several vaccinations or
// tests is refused, as is one about several patients. The model is VSPoV; a patient's
// gender with a centre, or our own document's word, makes it VSCoC. Elements that the core
// data set has no place for stay behind in the source.
func CoreDataSetFromResources(raw []byte) (fhir.CoreDataSet, []fault.Issue) {
	e := EventFromResources(raw)
	return e.Core, e.Issues
}

// EventFromResources is CoreDataSetFromResources with what else the Bundle says.
func EventFromResources(raw []byte) Event {
	root, err := jsontree.Parse(raw, fhir.MaxDepth)
	if err != nil || root.Get("resourceType") == nil {
		return unread(fault.From(fhir.Check(raw)).Issues)
	}
	return mapResources(root, anyEvent)
}

// anyEvent takes every event there is; mapResources refuses all but one.
const anyEvent = -1

// mapResources maps the event of one entry as if the Bundle had no other.
func mapResources(root *jsontree.Value, event int) Event {
	var log element.Log
	r := resourceMap{bundle: element.Root("Bundle", root, &log), log: &log, targets: map[string]int{}, event: event}
	if kind := root.Get("resourceType"); kind.Text != "Bundle" {
		r.bundle.Child("resourceType").Report(fhir.RuleResourceType, "The resource is not a Bundle.", "Send a Bundle of resources.")
		return unread(log.Issues)
	}
	r.index()
	r.read()
	return Event{Reading: Reading{Core: r.core, Issues: log.Issues}, Entry: event, Identifiers: r.identifiers, Summary: r.summary}
}

type resourceMap struct {
	event     int // entry of the one event that is mapped; anyEvent: whichever there is
	summary   bool
	bundle    *element.Element
	log       *element.Log
	resources []resource
	targets   map[string]int // of references: fullUrl, urn:uuid:id and Type/id
	core      fhir.CoreDataSet

	identifiers []fhir.Identifier // of the holder
}

type resource struct {
	kind        string
	identifiers map[fhir.Identifier]bool
	*element.Element
}

func (r *resourceMap) index() {
	for i, entry := range r.bundle.Child("entry").List() {
		e := entry.Child("resource")
		if !e.Object() || r.event != anyEvent && i != r.event && isEvent(e.Child("resourceType").Text()) {
			continue
		}
		for _, name := range []string{"modifierExtension", "implicitRules"} {
			if m := e.Child(name); m.Exists() {
				m.Report(fhir.RuleModifier, "An element that changes the meaning of the others is present and not understood.",
					"Send the resource without modifier extensions and implicit rules.")
			}
		}
		x := resource{kind: e.Child("resourceType").Text(), Element: e, identifiers: identifiersOf(e)}
		r.target(entry.Child("fullUrl").Text())
		if id := e.Child("id").Text(); id != "" {
			r.target(x.kind + "/" + id)
			r.target("urn:uuid:" + id)
		}
		r.resources = append(r.resources, x)
	}
}

// target makes the resource that comes next the one that a reference means.
func (r *resourceMap) target(reference string) {
	if _, taken := r.targets[reference]; !taken && reference != "" {
		r.targets[reference] = len(r.resources)
	}
}

func (r *resourceMap) all(kind string) []resource {
	var out []resource
	for _, x := range r.resources {
		if x.kind == kind {
			out = append(out, x)
		}
	}
	return out
}

// first gives the first resource of a kind, an absent element when there is none.
func (r *resourceMap) first(kind string) *element.Element {
	for _, x := range r.resources {
		if x.kind == kind {
			return x.Element
		}
	}
	return r.bundle.Child(kind)
}

func (r *resourceMap) read() {
	vaccinations, tests := r.all("Immunization"), r.all("Observation")
	if len(vaccinations)+len(tests) != 1 {
		r.bundle.Child("entry").Report(fhir.RuleOneEvent, "The bundle does not hold exactly one Immunization or Observation.",
			"Send one event in each bundle.")
		return
	}
	r.core.Certificate.Version = fhir.CoreDataSetVersion
	r.summary = isSummary(r.bundle)
	r.header()
	if len(vaccinations) == 1 {
		r.patient(vaccinations[0].Child("patient"))
		r.vaccination(vaccinations[0].Element)
	} else {
		r.patient(tests[0].Child("subject"))
		r.test(tests[0].Element)
	}
	r.issuer()
	r.model()
	normal, issues := r.core.Normalize()
	r.core = normal
	for _, i := range issues {
		r.log.Add(i)
	}
}

// header reads what the bundle and the composition say about the certificate.
func (r *resourceMap) header() {
	const prefix = "urn:hcid:"
	for _, link := range r.bundle.Child("link").List() {
		url := link.Child("url").Text()
		if len(url) > len(prefix) && strings.EqualFold(url[:len(prefix)], prefix) && r.core.Certificate.HCID == "" {
			r.core.Certificate.HCID = url[len(prefix):]
		}
	}
	if r.bundle.Child("type").Text() == "document" {
		r.core.Certificate.DDCCID = r.bundle.Child("id").Text()
	}
	if r.summary {
		return // its period is that of the care it tells of
	}
	period := r.first("Composition").First("event").Child("period")
	r.core.Certificate.Period = fhir.Period{Start: period.Child("start").Text(), End: period.Child("end").Text()}
}

// issuer prefers the identifier that the composition's author reference carries, then
// that of the authority of the protocol, then the organisation either points to.
func (r *resourceMap) issuer() {
	author := r.first("Composition").First("author")
	authority := r.first("Immunization").First("protocolApplied").Child("authority")
	for _, ref := range []*element.Element{author, authority} {
		if id := readIdentifier(ref.Child("identifier")); id.Value != "" {
			r.core.Certificate.Issuer = id
			return
		}
	}
	for _, ref := range []*element.Element{author, authority} {
		text := ref.Child("reference").Text()
		if found, ok := r.resolve(ref); ok {
			r.core.Certificate.Issuer = readIdentifier(found.First("identifier"))
		} else if text != "" {
			r.core.Certificate.Issuer = fhir.Identifier{Value: text}
			ref.Child("reference").Note(fault.SeverityWarning, fhir.RuleReference,
				"The organisation is not in the bundle; the reference itself became the issuer's identifier.", "Send the issuer's identifier.")
		}
		if r.core.Certificate.Issuer.Value != "" {
			return
		}
	}
}

func (r *resourceMap) model() {
	composition := r.first("Composition")
	for _, tag := range composition.Child("meta").Child("tag").List() {
		c, ok := fhir.ParseCanonical(tag.Child("system").Text())
		if ok && c == modelTag && r.core.Vaccination != nil {
			switch m := fhir.Model(tag.Child("code").Text()); m {
			case fhir.ModelVSPoV, fhir.ModelVSCoC:
				r.core.Model = m
			}
		}
	}
	switch {
	case r.core.Test != nil:
		r.core.Model = fhir.ModelTR
	case r.core.Model != "":
	case r.core.Sex != "" && r.core.Vaccination.Centre != "":
		r.core.Model = fhir.ModelVSCoC
	default:
		r.core.Model = fhir.ModelVSPoV
	}
	if r.core.Sex != "" && r.core.Model != fhir.ModelVSCoC {
		r.core.Sex = ""
		r.bundle.Note(fault.SeverityInformation, fhir.RuleNotKept,
			"The patient's gender is not part of this model and is not kept.", "Nothing to do.")
	}
}
