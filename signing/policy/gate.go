package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// The refusals of a Gate, each with a code of its own so that the audit log tells them
// apart.
var (
	ErrCaller  = fault.New(fault.Forbidden, "caller-not-allowed", "This client may not ask for certificates of this profile.")
	ErrProfile = fault.New(fault.Rule, "unknown-profile", "The signing service has no such profile.")
	ErrForm    = fault.New(fault.Malformed, "issuer-id", "The issuer id is not 1 to 64 letters, digits, dots, underscores or hyphens.")
	ErrIssuer  = fault.New(fault.Forbidden, "issuer-not-allowed", "The signing service does not issue for this issuer.")
	ErrType    = fault.New(fault.Forbidden, "type-not-allowed", "This issuer may not issue certificates of this profile.")
	ErrRate    = fault.New(fault.TooMany, "issuer-rate", "This issuer has asked for more certificates than agreed.")
)

// Grant is what an admitted request may have. It is shared: do not change Ignored.
type Grant struct {
	Profile     string
	Usage       keystore.Usage
	SubClaim    int64           // 0 for a profile that is no HCERT
	MaxValidity time.Duration   // the shorter of the profile's and the issuer's
	Lifelong    bool            // an end that nobody states may stay open; never with an issuer's own MaxValidity
	Ignored     map[string]bool // ids of lints the profile is excepted from
	Policy      string          // hex SHA-256 of the file it comes from, for the audit log
}

// Options of a Gate.
type Options struct {
	Checks Checks
	Clock  func() time.Time // required

	// Report is told about each new policy in force (err nil) and about each failure to
	// take one over, once; digest is the hex SHA-256 of the file, empty when it could not
	// be read. May be nil.
	Report func(digest string, err error)
}

// Gate is a policy in force. It is safe for concurrent use.
type Gate struct {
	path    string
	options Options
	rules   atomic.Pointer[rules]
	others  *others

	refreshing sync.Mutex
	state      string // the first issuing state of VDS-NC that was in force; it never changes
	seen       string // digest of the file last looked at, or the text of the failure to read it
}

// Open reads the policy file and puts it in force. Call Refresh now and then to follow
// its changes.
func Open(path string, o Options) (*Gate, error) {
	if o.Clock == nil {
		return nil, errors.New("signer policy: no clock")
	}
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	p, err := Parse(data, o.Checks)
	if err != nil {
		return nil, err
	}
	g := &Gate{path: path, options: o, others: newOthers(), seen: digestOf(data)}
	g.state = p.ICAOState
	g.enforce(p, g.seen)
	return g, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Refresh looks at the file once. A changed one is in force when it returns; a broken one
// is reported and changes nothing. The context is not used: it fits process.Every.
func (g *Gate) Refresh(context.Context) {
	g.refreshing.Lock()
	defer g.refreshing.Unlock()
	data, err := readFile(g.path)
	if err != nil {
		if g.news(err.Error()) {
			g.report("", err)
		}
		return
	}
	digest := digestOf(data)
	if !g.news(digest) {
		return
	}
	p, err := Parse(data, g.options.Checks)
	if err == nil {
		err = g.sameState(p)
	}
	if err != nil {
		g.report(digest, err)
		return
	}
	if g.state == "" {
		g.state = p.ICAOState
	}
	g.enforce(p, digest)
	g.report(digest, nil)
}

// sameState refuses a policy of another state than the one that is or was in force.
func (g *Gate) sameState(p Policy) error {
	switch {
	case p.Country != g.Country():
		return &Error{[]Problem{{"country", "has changed; another country needs a new start, with its own keys"}}}
	case g.state != "" && p.ICAOState != "" && p.ICAOState != g.state:
		return &Error{[]Problem{{"icaoState", "has changed; another state needs a new start, with its own keys"}}}
	}
	return nil
}

// news reports whether the file was found otherwise than last time. The return of a
// broken file to what is in force is news too.
func (g *Gate) news(found string) bool {
	changed := found != g.seen
	g.seen = found
	return changed
}

func (g *Gate) report(digest string, err error) {
	if g.options.Report != nil {
		g.options.Report(digest, err)
	}
}

// Admit decides on one certificate and takes it off the issuer's rate, whatever becomes
// of it. Errors: ErrCaller, ErrProfile, ErrForm, ErrIssuer, ErrType, ErrRate with the time
// to wait.
func (g *Gate) Admit(caller, profile, issuer string) (Grant, error) {
	r := g.rules.Load()
	if _, err := r.allowed(caller, profile); err != nil {
		return Grant{}, err
	}
	listed, ok := r.issuers[issuer]
	if !ok {
		return g.admitOther(r, profile, issuer)
	}
	grant, ok := listed.grants[profile]
	if !ok {
		return Grant{}, ErrType
	}
	if wait := listed.bucket.take(g.options.Clock); wait > 0 {
		return Grant{}, ErrRate.Retry(wait)
	}
	return grant, nil
}

func (g *Gate) admitOther(r *rules, profile, issuer string) (Grant, error) {
	if !issuerID.MatchString(issuer) {
		return Grant{}, ErrForm
	}
	if r.standard == nil {
		return Grant{}, ErrIssuer
	}
	grant, ok := r.standard[profile]
	if !ok {
		return Grant{}, ErrType
	}
	if wait := g.others.take(issuer, g.options.Clock); wait > 0 {
		return Grant{}, ErrRate.Retry(wait)
	}
	return grant, nil
}

// AdmitDocument decides on the document of a certificate that was released under a
// profile: who may ask for the one may ask for the other. Errors: ErrCaller, ErrProfile.
func (g *Gate) AdmitDocument(caller, profile string) (Grant, error) {
	return g.rules.Load().allowed(caller, profile)
}

// Caller reports whether the name is a caller of any profile.
func (g *Gate) Caller(name string) bool { return g.rules.Load().callers[name] }

// Operator reports whether the name is an operator's.
func (g *Gate) Operator(name string) bool { return g.rules.Load().operators[name] }

// Country is the one of the policy; it never changes.
func (g *Gate) Country() string { return g.rules.Load().country }

// ICAOState is the issuing state of VDS-NC in the policy, empty where it has none.
func (g *Gate) ICAOState() string { return g.rules.Load().icaoState }

// Digest is the hex SHA-256 of the file in force.
func (g *Gate) Digest() string { return g.rules.Load().digest }

// Profiles lists the grants of the profiles without an issuer's limits, in the order of
// the file.
func (g *Gate) Profiles() []Grant {
	r := g.rules.Load()
	grants := make([]Grant, len(r.order))
	for i, name := range r.order {
		grants[i] = r.profiles[name].grant
	}
	return grants
}
