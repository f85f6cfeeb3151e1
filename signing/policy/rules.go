package policy

import "time"

// rules is a policy as the Gate looks things up in it. It does not change, but for the
// buckets, which one policy hands to the next.
type rules struct {
	digest, country    string
	icaoState          string
	callers, operators map[string]bool
	order              []string // names of profiles
	profiles           map[string]profileRules
	issuers            map[string]issuerRules
	standard           map[string]Grant // by profile, of issuers that are not listed; nil refuses them
}

type profileRules struct {
	callers map[string]bool
	grant   Grant
}

type issuerRules struct {
	grants map[string]Grant // by profile
	bucket *bucket
}

// allowed gives the grant of a profile to one of its callers. A stranger does not learn
// which profiles there are.
func (r *rules) allowed(caller, profile string) (Grant, error) {
	if !r.callers[caller] {
		return Grant{}, ErrCaller
	}
	p, ok := r.profiles[profile]
	if !ok {
		return Grant{}, ErrProfile
	}
	if !p.callers[caller] {
		return Grant{}, ErrCaller
	}
	return p.grant, nil
}

// enforce puts a valid policy in force. Issuers keep what they have used of their rate.
func (g *Gate) enforce(p Policy, digest string) {
	r := &rules{
		digest: digest, country: p.Country, icaoState: p.ICAOState, operators: set(p.Operators), callers: map[string]bool{},
		profiles: make(map[string]profileRules, len(p.Profiles)),
		issuers:  make(map[string]issuerRules, len(p.Issuers)),
	}
	for _, one := range p.Profiles {
		r.addProfile(one, p.Callers)
	}
	before := g.rules.Load()
	for _, one := range p.Issuers {
		b := &bucket{}
		if before != nil && before.issuers[one.ID].bucket != nil {
			b = before.issuers[one.ID].bucket
		}
		b.set(one.Rate, one.Burst, g.options.Clock)
		r.issuers[one.ID] = issuerRules{grants: r.grants(one.Profiles, one.MaxValidity), bucket: b}
	}
	if d := p.DefaultIssuer; d != nil {
		r.standard = r.grants(d.Profiles, d.MaxValidity)
		g.others.set(*d, g.options.Clock)
	}
	g.rules.Store(r)
}

func (r *rules) addProfile(p Profile, standard []string) {
	callers := p.Callers
	if len(callers) == 0 {
		callers = standard
	}
	for _, c := range callers {
		r.callers[c] = true
	}
	r.order = append(r.order, p.Name)
	r.profiles[p.Name] = profileRules{callers: set(callers), grant: Grant{
		Profile: p.Name, Usage: p.Usage, SubClaim: p.SubClaim,
		MaxValidity: time.Duration(p.MaxValidity), Lifelong: p.Lifelong, Ignored: set(p.IgnoredLints), Policy: r.digest,
	}}
}

func (r *rules) grants(profiles []string, validity Duration) map[string]Grant {
	grants := make(map[string]Grant, len(profiles))
	for _, name := range profiles {
		grant := r.profiles[name].grant
		if v := time.Duration(validity); v > 0 {
			grant.MaxValidity, grant.Lifelong = min(v, grant.MaxValidity), false
		}
		grants[name] = grant
	}
	return grants
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
