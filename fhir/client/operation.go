package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Operation calls an operation by its path below the base, such as
// "Composition/1/$document". Only GET and POST are allowed; a POST is not repeated. The
// answer is a resource of any type, which the caller checks, or an empty Resource.
func (c *Client) Operation(ctx context.Context, method, path string, q url.Values, body []byte) (Resource, error) {
	where, err := operationPath(path)
	if err != nil {
		return Resource{}, err
	}
	if len(q) > 0 {
		where += "?" + q.Encode()
	}
	r := request{method: method, path: where, body: body}
	switch {
	case method == http.MethodGet && body == nil:
		r.repeatable = true
	case method == http.MethodPost:
		r.writes = true
	default:
		return Resource{}, badName("method", "The method is not one of an operation.", "Use GET without a body, or POST.")
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return Resource{}, err
	}
	if len(a.body) == 0 {
		return Resource{}, nil
	}
	return a.head.resource(a.body), nil
}

// Capability is what a server says of itself.
type Capability struct {
	FHIRVersion     string // such as 4.0.1
	Software        string // may be empty
	SoftwareVersion string // may be empty
	Raw             []byte // the CapabilityStatement
}

var errNotR4 = fault.New(fault.Upstream, "fhir-version", "The FHIR server does not speak FHIR R4.")

// Capability reads the server's metadata and requires FHIR R4 (4.0).
func (c *Client) Capability(ctx context.Context) (Capability, error) {
	a, err := c.do(ctx, request{method: http.MethodGet, path: "/metadata", repeatable: true})
	if err != nil {
		return Capability{}, err
	}
	var statement struct {
		FHIRVersion string `json:"fhirVersion"`
		Software    struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"software"`
	}
	if a.head.ResourceType != "CapabilityStatement" || json.Unmarshal(a.body, &statement) != nil {
		return Capability{}, nonsense(a, false, "the answer is not a CapabilityStatement").fault()
	}
	if !strings.HasPrefix(statement.FHIRVersion, "4.0.") && statement.FHIRVersion != "4.0" {
		return Capability{}, errNotR4
	}
	return Capability{
		FHIRVersion: statement.FHIRVersion, Software: statement.Software.Name, SoftwareVersion: statement.Software.Version, Raw: a.body,
	}, nil
}
