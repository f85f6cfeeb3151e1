package openhim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
)

// Registration is what the core keeps of a mediator.
type Registration struct {
	URN                  string         `json:"urn"`
	Version              string         `json:"version"` // x.y.z; only a higher one replaces what is there
	Name                 string         `json:"name"`
	Description          string         `json:"description"`
	Endpoints            []Route        `json:"endpoints"`
	DefaultChannelConfig []Channel      `json:"defaultChannelConfig"` // offered in the console, never applied by itself
	ConfigDefs           []Def          `json:"configDefs"`
	Config               map[string]any `json:"config,omitempty"` // what an operator set; see NewRegistration
}

// Route is where requests are sent.
type Route struct {
	Name              string `json:"name"`
	Type              string `json:"type"`
	Host              string `json:"host"`
	Port              int    `json:"port"`
	Secured           bool   `json:"secured"`
	Primary           bool   `json:"primary"`
	Status            string `json:"status"`
	ForwardAuthHeader bool   `json:"forwardAuthHeader"`
}

// Channel is a rule of the core for what it lets through. It is complete for 4.x and 8.x:
// without methods a channel of 8.x never matches.
type Channel struct {
	Name             string   `json:"name"`
	Description      string   `json:"description"`
	URLPattern       string   `json:"urlPattern"`
	Type             string   `json:"type"`
	Methods          []string `json:"methods"`
	AuthType         string   `json:"authType"`
	Allow            []string `json:"allow"`
	Routes           []Route  `json:"routes"`
	Status           string   `json:"status"`
	RequestBody      bool     `json:"requestBody"`
	ResponseBody     bool     `json:"responseBody"`
	RewriteURLs      bool     `json:"rewriteUrls"`
	AutoRetryEnabled bool     `json:"autoRetryEnabled"`
}

// Def defines one setting of the console.
type Def struct {
	Param       string   `json:"param"`
	DisplayName string   `json:"displayName"`
	Description string   `json:"description"`
	Type        string   `json:"type"`
	Values      []string `json:"values,omitempty"`
	Array       bool     `json:"array,omitempty"`
}

// role is who may use the channel: clients of OpenHIM with this role.
const role = "ddcc-issuer"

// Identity is who the mediator is to the core.
type Identity struct {
	URN     string // letters, digits, . _ : -
	Version string // see Version
	Address string // host:port under which the core reaches the gateway
}

var urnForm = regexp.MustCompile(`^urn:[A-Za-z0-9._:-]{1,120}$`)

// CheckURN says what is wrong with a urn: everybody puts it into paths as it is.
func CheckURN(urn string) error {
	if !urnForm.MatchString(urn) {
		return errors.New("must be urn: and letters, digits, dots, colons, underscores or hyphens")
	}
	return nil
}

var versionForm = regexp.MustCompile(`^v?((?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8}))(?:[-+][0-9A-Za-z.+-]*)?$`)

// Version is the x.y.z of a version of a module, without what follows it: cores order
// prereleases below their release, and builds not at all. A version of no release, such as
// that of a working tree, is 0.0.0.
func Version(module string) string {
	found := versionForm.FindStringSubmatch(module)
	if found == nil {
		return "0.0.0"
	}
	return found[1]
}

// CheckVersion wants a plain x.y.z.
func CheckVersion(text string) error {
	if found := versionForm.FindStringSubmatch(text); found == nil || found[1] != text {
		return errors.New("must be x.y.z in plain numbers")
	}
	return nil
}

// NewRegistration makes the registration of a gateway. It has no secret: everybody who may
// see mediators in the core sees all of it. The route of a channel needs the channel
// credentials and the CA of the gateway; whoever installs the channel adds them. It sets
// nothing: a core would keep our limits of today as if an operator had chosen them, and an
// upgrade that sends settings drops those it does not send.
func NewRegistration(id Identity, b Bounds) (Registration, error) {
	host, port, err := net.SplitHostPort(id.Address)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || host == "" || n == 0 {
		return Registration{}, errors.New("openhim: the address under which OpenHIM reaches the gateway is not host:port")
	}
	if err := errors.Join(CheckURN(id.URN), CheckVersion(id.Version)); err != nil {
		return Registration{}, fmt.Errorf("openhim: %w", err)
	}
	route := Route{Name: "DDCC gateway", Type: "http", Host: host, Port: int(n), Secured: true, Primary: true, Status: "enabled"}
	return Registration{
		URN: id.URN, Version: id.Version, Name: "DDCC certificate gateway",
		Description: "Issues health certificates for FHIR events. Routes to it need its CA and the channel credentials.",
		Endpoints:   []Route{route}, ConfigDefs: b.defs(),
		DefaultChannelConfig: []Channel{{
			Name:        "DDCC certificates",
			Description: "Health events in, certificates out. Private; before use, set CA, user and password of its route.",
			URLPattern:  "^/ddcc(/.*)?$", Type: "http", Methods: []string{"GET", "POST"}, AuthType: "private", Allow: []string{role},
			Routes: []Route{route}, Status: "enabled",
		}},
	}, nil
}

// SameAs reports whether a core would treat requests and settings alike under both: what it
// adds of its own does not count, nor do configured values.
func (r Registration) SameAs(kept Registration) bool {
	return r.definitions() == kept.definitions()
}

// definitions is what a higher version would replace, in one form.
func (r Registration) definitions() string {
	r.Version, r.Config = "", nil
	raw, _ := json.Marshal(r) // plain strings, numbers and lists marshal
	return string(raw)
}
