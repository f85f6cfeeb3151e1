package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Policy is the file as a whole.
type Policy struct {
	Country       string    `json:"country"`                 // ISO 3166-1 alpha-2, issuer in every certificate
	ICAOState     string    `json:"icaoState,omitempty"`     // issuing state in VDS-NC (ICAO 9303-3 §5), e.g. "UTO"; needed for those alone
	Callers       []string  `json:"callers,omitempty"`       // of profiles that name none: names of client certificates
	Operators     []string  `json:"operators"`               // names of client certificates; key operations take two of them
	Profiles      []Profile `json:"profiles"`                // kinds of certificates
	Issuers       []Issuer  `json:"issuers,omitempty"`       // on whose behalf they are asked for
	DefaultIssuer *Default  `json:"defaultIssuer,omitempty"` // of issuers that are not listed; absent: they are refused
}

// Profile is one kind of certificate.
type Profile struct {
	Name         string         `json:"name"`
	Usage        keystore.Usage `json:"usage"`              // of the key that signs it
	SubClaim     int64          `json:"subClaim,omitempty"` // place inside claim -260; of HCERT profiles alone
	Callers      []string       `json:"callers,omitempty"`  // who may ask; absent: Policy.Callers
	MaxValidity  Duration       `json:"maxValidity"`        // between issue and expiry
	Lifelong     bool           `json:"lifelong,omitempty"` // without expiry where neither content nor request states an end
	IgnoredLints []string       `json:"ignoredLints,omitempty"`
}

// Issuer is one organisation that certificates are issued for.
type Issuer struct {
	ID          string   `json:"id"` // as the caller states it
	Profiles    []string `json:"profiles"`
	Rate        float64  `json:"rate"`                  // certificates a second, sustained
	Burst       int      `json:"burst"`                 // certificates at once
	MaxValidity Duration `json:"maxValidity,omitempty"` // shorter than the profile's; 0: the profile's
}

// Default is what each issuer that is not listed may do.
type Default struct {
	Profiles    []string `json:"profiles"`
	Rate        float64  `json:"rate"`
	Burst       int      `json:"burst"`
	MaxValidity Duration `json:"maxValidity,omitempty"`
	Most        int      `json:"most"` // such issuers at a time
}

// Duration is a time.Duration that JSON writes as Go does, e.g. "8760h".
type Duration time.Duration

// MarshalText writes "8760h0m0s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Problem is one thing wrong with the file.
type Problem struct {
	Path string // of the member, e.g. "issuers[3].rate"; empty: the file
	Text string // what is wrong and what to do; never repeats the value
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Text
	}
	return p.Path + ": " + p.Text
}

// Error is a policy that cannot be used: all problems found.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("the signer policy has %d problem(s):", len(e.Problems)))
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds the list: a file that is wrong everywhere is wrong.
const maxProblems = 100

// problems collects them.
type problems struct{ list []Problem }

func (p *problems) add(path, format string, args ...any) {
	if len(p.list) < maxProblems {
		p.list = append(p.list, Problem{path, fmt.Sprintf(format, args...)})
	}
}

// at reports whether there is a problem with the member, something inside it, or what it
// is in.
func (p *problems) at(path string) bool {
	for _, known := range p.list {
		if within(known.Path, path) || within(path, known.Path) {
			return true
		}
	}
	return false
}

// within reports whether path is outer or lies inside it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &Error{p.list}
}
