package fhir

import "github.com/trustedparty/ddcc-gateway/fhir/internal/element"

// Ids of the rules, as fault.Issue.Rule carries them. RuleData1 is WHO's own invariant;
// the others are the constraints of the DDCC IG's models (cardinality, type, binding)
// and of FHIR R4's data types, named here.
const (
	RuleJSON           = "json"                  // RFC 8259 and RFC 7493
	RuleType           = element.RuleType        // FHIR R4 JSON: type of an element
	RuleResourceType   = "resource-type"         // the resource is another one than asked for
	RuleUnknownElement = "unknown-element"       // FHIR R4 JSON: no such element
	RuleModifier       = "modifier-extension"    // FHIR R4: not understood, so not processed
	RuleExtension      = "value-extension"       // an extension in place of, or beside, a value
	RuleQuestionnaire  = "questionnaire"         // not one of the DDCC questionnaires
	RuleStatus         = "status"                // the event or the response is not final
	RuleNotAsked       = "not-in-questionnaire"  // an answer to an item that is not there
	RuleDuplicate      = "duplicate-item"        // two items with one linkId
	RuleOneAnswer      = "one-answer"            // item.repeats is false
	RuleAnswerType     = "answer-type"           // value[x] against item.type
	RuleRequired       = "required"              // minimum cardinality
	RuleData1          = "who-ddcc-data-1"       // manufacturer or market authorisation holder
	RuleModel          = "core-data-set-model"   // an element the model does not have
	RulePositiveInt    = "positive-int"          // FHIR positiveInt
	RuleSeries         = "dose-within-series"    // dose number above the series
	RuleDate           = "date"                  // FHIR date and dateTime, real calendar
	RuleDateOrder      = "date-order"            // two dates contradict each other
	RuleDateFuture     = "date-in-the-future"    // an event that has not happened yet
	RuleLength         = "text-length"           // our limit, see Limit constants
	RuleText           = "text-characters"       // characters no name or label holds
	RuleTrimmed        = "text-trimmed"          // white space at the ends was removed
	RuleCode           = "code-syntax"           // FHIR code
	RuleURI            = "uri-syntax"            // FHIR uri
	RuleSex            = "administrative-gender" // required binding
	RuleValueSet       = "value-set"             // preferred binding
	RuleCountry        = "iso3166-1-3"           // country code
	RuleCountryAlpha3  = "country-translated"    // another ISO 3166 form became alpha-3
	RuleCountryTest    = "country-user-assigned" // ISO 3166-1 §8.1.3: only in tests
	RuleHCID           = "hcid-syntax"           // Health Certificate ID
	RuleVersion        = "core-data-set-version" // RC2
	RuleNotKept        = "not-kept"              // the core data set has no place for it
	RuleOneEvent       = "one-event"             // one event per certificate
	RuleReference      = "reference"             // a reference that does not resolve
	RuleAmbiguous      = "conflicting-values"    // two sources of one element disagree
)

// issueType gives the FHIR IssueType of a rule (http://hl7.org/fhir/issue-type), or
// otherwise for rules of other packages.
func issueType(rule, otherwise string) string {
	switch rule {
	case RuleJSON, RuleType, RuleResourceType, RuleUnknownElement, RuleNotAsked, RuleOneAnswer:
		return "structure"
	case RuleModifier, RuleExtension:
		return "extension"
	case RuleQuestionnaire:
		return "not-supported"
	case RuleDuplicate:
		return "duplicate"
	case RuleRequired:
		return "required"
	case RuleData1:
		return "invariant"
	case RuleAnswerType, RulePositiveInt, RuleDate, RuleText, RuleCode, RuleURI, RuleHCID:
		return "value"
	case RuleLength:
		return "too-long"
	case RuleSex, RuleValueSet, RuleCountry, RuleCountryTest:
		return "code-invalid"
	case RuleStatus, RuleModel, RuleSeries, RuleDateOrder, RuleDateFuture, RuleVersion, RuleOneEvent, RuleAmbiguous:
		return "business-rule"
	case RuleReference:
		return "not-found"
	case RuleValid:
		return "informational"
	case RuleTrimmed, RuleCountryAlpha3, RuleNotKept:
		return "informational"
	default:
		return otherwise
	}
}
