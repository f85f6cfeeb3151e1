package verification

import (
	"slices"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Rules say how content is checked after its signature.
type Rules uint8

// The rules. The zero value means none: the content is recognised and refused.
const (
	RulesNone            Rules = iota // unsupported_payload
	RulesDDCCVaccination              // DDCC IG, DDCCCoreDataSetVS
	RulesDDCCTest                     // DDCC IG, DDCCCoreDataSetTR
	RulesEUDCC                        // EU DCC schema 1.3.x and what its fields mean
	RulesICVP                         // WHO smart-icvp, every generation
	RulesFlat                         // early WHO payloads; taken as they are
	RulesOpaque                       // taken as it is, whatever it is, from any key for content
)

// Profile is one kind of content.
type Profile struct {
	Name  string
	Rules Rules

	// TimesOptional lets iat and exp be absent; the Result then carries warnings.
	TimesOptional bool
}

// Names of profiles.
const (
	ProfileDDCCVaccination = "who-ddcc-vs"
	ProfileDDCCTest        = "who-ddcc-tr"
	ProfileEUDCC           = "eu-dcc"
	ProfileICVP            = "who-icvp"
	ProfileVHL             = "who-vhl"
	ProfileFlat            = "who-flat"
)

// DefaultProfiles gives the sub-claims of claim -260 that are recognised (smart-trust
// hcert model). Health links are recognised without rules.
func DefaultProfiles() map[int64]Profile {
	return map[int64]Profile{
		1:  {Name: ProfileEUDCC, Rules: RulesEUDCC},
		3:  {Name: ProfileDDCCVaccination, Rules: RulesDDCCVaccination},
		4:  {Name: ProfileDDCCTest, Rules: RulesDDCCTest},
		5:  {Name: ProfileVHL, TimesOptional: true},
		-6: {Name: ProfileICVP, Rules: RulesICVP, TimesOptional: true}, // a card for life has no exp
	}
}

// defaultProfiles is never changed.
var defaultProfiles = DefaultProfiles()

// found is the recognised content of one certificate.
type found struct {
	profile Profile
	several bool // more than one sub-claim: nothing says which one is meant
	content map[string]any
}

// recognise tells the kind of content apart. It does not judge.
func (v *Verifier) recognise(claims reader.Claims) found {
	if claims.Flat != nil {
		return found{profile: Profile{Name: ProfileFlat, Rules: RulesFlat, TimesOptional: true}, content: claims.Flat}
	}
	if len(claims.SubClaims) != 1 {
		return found{several: true}
	}
	profiles := v.Profiles
	if profiles == nil {
		profiles = defaultProfiles
	}
	var f found
	for key, value := range claims.SubClaims {
		f.profile = profiles[key]
		f.content, _ = value.(map[string]any)
	}
	return f
}

// usages gives the kinds of event in the content. The content decides, since a key for
// tests must not vouch for a vaccination by calling it something else.
func (f found) usages() []trust.Usage {
	members := map[string]trust.Usage{}
	switch f.profile.Rules {
	case RulesDDCCVaccination:
		return []trust.Usage{trust.UsageVaccination}
	case RulesDDCCTest:
		return []trust.Usage{trust.UsageTest}
	case RulesICVP:
		return []trust.Usage{trust.UsageVaccination}
	case RulesEUDCC:
		members = map[string]trust.Usage{"v": trust.UsageVaccination, "t": trust.UsageTest, "r": trust.UsageRecovery}
	case RulesFlat:
		members = map[string]trust.Usage{"vaccine": trust.UsageVaccination, "test": trust.UsageTest}
	}
	var usages []trust.Usage
	for member, usage := range members {
		if f.content[member] != nil { // null means absent
			usages = append(usages, usage)
		}
	}
	return usages
}

// checkUsage holds the content against what the key may sign (HCERT specification,
// extended key usage). Content of an unknown kind needs a key for some content, so that
// a key for documents, cards, seals or lists alone never vouches for it.
func (f found) checkUsage(entry trust.Entry) *failure {
	usages := f.usages()
	for _, usage := range usages {
		if !entry.Allows(usage) {
			return fail(ReasonUsageMismatch, "the key may not sign this kind of content")
		}
	}
	if len(usages) == 0 && !slices.ContainsFunc(trust.Usages(), func(u trust.Usage) bool { return isContent(u) && entry.Allows(u) }) {
		return fail(ReasonUsageMismatch, "the key is for other purposes than the content of certificates")
	}
	return nil
}

// isContent reports whether it is a kind of HCERT content.
func isContent(u trust.Usage) bool {
	return u == trust.UsageVaccination || u == trust.UsageTest || u == trust.UsageRecovery
}

// check applies the rules of the profile and gives warnings about content that keeps them
// only just.
func (f found) check() (warnings []string, failed *failure) {
	switch {
	case f.several:
		return nil, fail(ReasonUnsupportedPayload, "claim -260 holds more than one kind of content")
	case f.profile.Rules == RulesNone:
		return nil, fail(ReasonUnsupportedPayload, "there are no rules for this kind of content")
	case f.profile.Rules == RulesOpaque:
		return nil, nil
	case f.content == nil:
		return nil, fail(ReasonInvalidPayload, "the content is not a map")
	}
	switch f.profile.Rules {
	case RulesDDCCVaccination:
		return nil, checkDDCC(f.content, "vaccination", "test")
	case RulesDDCCTest:
		return nil, checkDDCC(f.content, "test", "vaccination")
	case RulesICVP:
		return checkICVP(f.content)
	case RulesEUDCC:
		return checkEUDCC(f.content)
	}
	if len(f.usages()) != 1 {
		return nil, fail(ReasonInvalidPayload, "the content must describe exactly one kind of event")
	}
	return nil, nil
}

func checkEUDCC(content map[string]any) (warnings []string, failed *failure) {
	for _, p := range dcc.Check(content) {
		if !p.Warning {
			return nil, breach(p.Path, p.Detail, p.Rule)
		}
		warnings = []string{WarningContent}
	}
	return warnings, nil
}

func checkICVP(content map[string]any) (warnings []string, failed *failure) {
	for _, p := range icvp.Check(content) {
		if !p.Warning {
			return nil, breach(p.Path, p.Detail, p.Rule)
		}
		warnings = []string{WarningContent}
	}
	return warnings, nil
}

// warnings says what a verified certificate lacks.
func (f found) warnings(claims reader.Claims) []string {
	var all []string
	if claims.ExpiresAt.IsZero() {
		all = append(all, WarningNoExpiry)
	}
	if claims.IssuedAt.IsZero() {
		all = append(all, WarningNoIssueDate)
	}
	switch f.profile.Rules {
	case RulesDDCCVaccination, RulesDDCCTest:
		if f.content["certificate"] == nil {
			all = append(all, WarningNoCertificate)
		}
	case RulesEUDCC, RulesICVP:
	default:
		all = append(all, WarningUnchecked)
	}
	return all
}
