package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Checks are what a policy must agree with and cannot know: the code it is given to. A
// nil check knows nothing.
type Checks struct {
	Kind func(profile string) (Kind, bool) // what the service can build under the name
	Lint func(id string) bool              // there is such a lint, and a profile may be excepted from it
}

// Kind is what the code fixes of a profile; the file repeats it for those who review it.
type Kind struct {
	Usage    keystore.Usage // of the keys that may sign it
	SubClaim int64          // its place inside claim -260; 0: it is no HCERT
	Lifelong bool           // the format knows certificates without an end
}

// The limits of a policy.
const (
	maxList      = 10_000
	maxProfiles  = 64
	maxNameBytes = 256
	minRate      = 1.0 / (24 * 60 * 60) // a second: one a day
	maxRate      = 1_000_000
	maxBurst     = 1_000_000
	minValidity  = time.Hour
	maxValidity  = 10 * 365 * 24 * time.Hour // no DSC lives longer, and none is outlived
)

var (
	icaoState = regexp.MustCompile(`^(?:[A-Z]{3}|D)$`)
	alpha2    = regexp.MustCompile(`^[A-Z]{2}$`)
	issuerID  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`) // as it goes into the audit log
	profile   = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
)

// certificateUsages are the usages whose keys sign certificates of a profile.
var certificateUsages = []keystore.Usage{
	keystore.UsageVaccination, keystore.UsageTest, keystore.UsageRecovery, keystore.UsageSHC, keystore.UsageVDSNC,
}

// Validate reports every problem at once, in an *Error.
func (p Policy) Validate(checks Checks) error {
	var found problems
	p.validate(&found, checks)
	return found.err()
}

// validate adds what is wrong with members that have no problem yet.
func (p Policy) validate(found *problems, checks Checks) {
	v := validator{problems: found, before: &problems{list: slices.Clone(found.list)}, checks: checks}
	v.check("country", alpha2.MatchString(p.Country), "must be an ISO 3166-1 alpha-2 code in capitals")
	v.state(p)
	v.names("callers", p.Callers)
	v.operators(p)
	v.profiles(p)
	if len(p.Profiles) > maxProfiles {
		return
	}
	v.issuers(p)
	if d := p.DefaultIssuer; d != nil {
		v.limits("defaultIssuer", p, d.Profiles, d.Rate, d.Burst, d.MaxValidity)
		v.check("defaultIssuer.most", d.Most >= 1 && d.Most <= maxList, "must be 1 to %d", maxList)
	} else {
		v.check("issuers", len(p.Issuers) > 0, "is empty; without an issuer and a defaultIssuer nobody may issue")
	}
}

// state: a seal names its issuing state in a code that the country does not tell.
func (v validator) state(p Policy) {
	if p.ICAOState != "" {
		v.check("icaoState", icaoState.MatchString(p.ICAOState), `must be the code of a state in ICAO 9303-3: three capitals, "D" for Germany`)
		return
	}
	seals := slices.ContainsFunc(p.Profiles, func(one Profile) bool { return one.Usage == keystore.UsageVDSNC })
	v.check("icaoState", !seals, "is missing; profiles of usage vdsnc need the code of the issuing state in ICAO 9303-3")
}

type validator struct {
	*problems
	before *problems // what reading the file found: a broken member is not judged again
	checks Checks
}

func (v validator) check(path string, ok bool, format string, args ...any) {
	if !ok && !v.before.at(path) {
		v.add(path, format, args...)
	}
}

// names checks a list of certificate names.
func (v validator) names(path string, names []string) {
	seen := map[string]int{}
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.check(at, name != "" && len(name) <= maxNameBytes && !strings.ContainsFunc(name, notInName),
			"must be a certificate name of 1 to %d printable ASCII characters without spaces", maxNameBytes)
		v.unique(at, path, folded(name), i, seen)
	}
}

// notInName: what a reviewer cannot see or tell apart makes one person two, so a name is
// printable ASCII.
func notInName(r rune) bool { return r <= ' ' || r > '~' }

// folded is the form in which two names are one: who holds "ada" may hold "Ada" too.
func folded(name string) string { return strings.ToLower(name) }

func (v validator) unique(at, list, name string, i int, seen map[string]int) {
	if first, twice := seen[name]; twice {
		v.check(at, false, "is the same as %s[%d]", list, first)
		return
	}
	seen[name] = i
}

// operators: two people must be able to act, and nobody who asks for certificates may
// change the keys that sign them.
func (v validator) operators(p Policy) {
	v.names("operators", p.Operators)
	people := map[string]bool{}
	for _, operator := range p.Operators {
		people[folded(operator)] = true
	}
	v.check("operators", len(people) >= 2, "must name two operators or more: key operations take two")
	callers := v.spellings(p)
	for i, operator := range p.Operators {
		_, caller := callers[folded(operator)]
		v.check(fmt.Sprintf("operators[%d]", i), !caller, "is a caller as well, if only in other letters; use a certificate of its own for key operations")
	}
}

// spellings gives the callers by their folded names. Profiles may share a caller, but all
// must write it alike.
func (v validator) spellings(p Policy) map[string]string {
	callers := map[string]string{}
	add := func(path string, names []string) {
		for i, name := range names {
			if known, ok := callers[folded(name)]; ok {
				v.check(fmt.Sprintf("%s[%d]", path, i), known == name, "differs from another caller in capital letters only")
				continue
			}
			callers[folded(name)] = name
		}
	}
	add("callers", p.Callers)
	for i, one := range p.Profiles {
		add(fmt.Sprintf("profiles[%d].callers", i), one.Callers)
	}
	return callers
}

func (v validator) profiles(p Policy) {
	v.check("profiles", len(p.Profiles) > 0, "is empty; name the kinds of certificates this signer makes")
	v.check("profiles", len(p.Profiles) <= maxProfiles, "has more than %d entries", maxProfiles)
	names := map[string]int{}
	for i, one := range p.Profiles {
		at := fmt.Sprintf("profiles[%d]", i)
		v.check(at+".name", profile.MatchString(one.Name), "must be 1 to 64 of a-z, 0-9 and inner hyphens")
		v.unique(at+".name", "profiles", one.Name, i, names)
		v.check(at+".usage", slices.Contains(certificateUsages, one.Usage), "must be a key usage for certificates: vaccination, test, recovery, shc or vdsnc")
		v.kind(at, one)
		v.validity(at+".maxValidity", one.MaxValidity)
		v.names(at+".callers", one.Callers)
		v.check(at+".callers", len(one.Callers)+len(p.Callers) > 0, "is missing, and there are no callers for all profiles; name at least one client certificate")
		v.lints(at+".ignoredLints", one.IgnoredLints)
	}
}

// kind holds a profile against what the service builds under its name. A verifier takes the
// usage of a key, and the place of the content, for what the certificate may say.
func (v validator) kind(at string, one Profile) {
	var kind Kind
	known := v.checks.Kind != nil
	if known {
		kind, known = v.checks.Kind(one.Name)
	}
	v.check(at+".name", known || !profile.MatchString(one.Name), "is no profile this signer can make")
	if !known {
		return
	}
	v.check(at+".usage", one.Usage == kind.Usage || !slices.Contains(certificateUsages, one.Usage),
		"is for another kind of certificate; keys of that usage must not sign this profile")
	if kind.SubClaim == 0 {
		v.check(at+".subClaim", one.SubClaim == 0, "is for HCERT profiles alone; leave it out")
	} else {
		v.check(at+".subClaim", one.SubClaim == kind.SubClaim, "must be %d, the place of this kind of certificate", kind.SubClaim)
	}
	v.check(at+".lifelong", !one.Lifelong || kind.Lifelong, "is not possible in this format; leave it out")
}

func (v validator) validity(at string, d Duration) {
	t := time.Duration(d)
	v.check(at, t >= minValidity && t <= maxValidity && t%time.Second == 0, "must be whole seconds, one hour to %d hours", maxValidity/time.Hour)
}

func (v validator) lints(path string, ids []string) {
	seen := map[string]int{}
	for i, id := range ids {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.check(at, v.checks.Lint != nil && v.checks.Lint(id), "is no lint of this signer that may be ignored")
		v.unique(at, path, id, i, seen)
	}
}

func (v validator) issuers(p Policy) {
	seen := map[string]int{}
	for i, one := range p.Issuers {
		at := fmt.Sprintf("issuers[%d]", i)
		v.check(at+".id", issuerID.MatchString(one.ID), "must be 1 to 64 letters, digits, dots, underscores or hyphens")
		v.unique(at+".id", "issuers", one.ID, i, seen)
		v.limits(at, p, one.Profiles, one.Rate, one.Burst, one.MaxValidity)
	}
}

// limits checks what listed and other issuers have in common.
func (v validator) limits(at string, p Policy, profiles []string, rate float64, burst int, validity Duration) {
	v.check(at+".profiles", len(profiles) > 0, "is empty; name what may be issued")
	seen := map[string]int{}
	for i, name := range profiles {
		path := fmt.Sprintf("%s.profiles[%d]", at, i)
		known := slices.ContainsFunc(p.Profiles, func(one Profile) bool { return one.Name == name })
		v.check(path, known || v.before.at("profiles"), "is not in the list of profiles")
		v.unique(path, at+".profiles", name, i, seen)
	}
	v.check(at+".rate", rate >= minRate && rate <= maxRate, "must be certificates a second, one a day (0.0000116) to %d", maxRate)
	v.check(at+".burst", burst >= 1 && burst <= maxBurst, "must be 1 to %d", maxBurst)
	if validity != 0 {
		v.validity(at+".maxValidity", validity)
	}
}
