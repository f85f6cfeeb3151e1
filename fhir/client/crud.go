package client

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Read gives the current version of a resource. fault.NotFound: the server never had it or
// it was deleted.
func (c *Client) Read(ctx context.Context, typ, id string) (Resource, error) {
	if err := checkName(typ, id); err != nil {
		return Resource{}, err
	}
	return c.read(ctx, "/"+typ+"/"+id, Resource{Type: typ, ID: id})
}

// VRead gives one version of a resource.
func (c *Client) VRead(ctx context.Context, typ, id, version string) (Resource, error) {
	if err := checkName(typ, id); err != nil {
		return Resource{}, err
	}
	if err := checkVersion(version); err != nil {
		return Resource{}, err
	}
	return c.read(ctx, "/"+typ+"/"+id+"/_history/"+version, Resource{Type: typ, ID: id, VersionID: version})
}

// read gets one resource, which must be the wanted one.
func (c *Client) read(ctx context.Context, path string, want Resource) (Resource, error) {
	a, err := c.do(ctx, request{method: http.MethodGet, path: path, repeatable: true})
	if err != nil {
		return Resource{}, err
	}
	got := a.head.resource(a.body)
	if got.VersionID == "" {
		got.VersionID = etagVersion(a.header.Get("ETag"))
	}
	if a.status != http.StatusOK || got.Type != want.Type || got.ID != want.ID || want.VersionID != "" && got.VersionID != want.VersionID {
		return Resource{}, nonsense(a, false, "the answer is not the resource that was asked for").fault()
	}
	return got, nil
}

// Create stores raw under an id of the server's choice. With ifNoneExist, a search such as
// "identifier=system%7Cvalue", it is stored only if nothing matches; created is false if
// something did, which may be what an earlier attempt of this call made. Several matches
// are fault.PreconditionFailed. Without ifNoneExist the call is not repeated.
func (c *Client) Create(ctx context.Context, typ string, raw []byte, ifNoneExist string) (Resource, bool, error) {
	if err := checkBody(typ, "", raw); err != nil {
		return Resource{}, false, err
	}
	if ifNoneExist != "" {
		if err := checkCriteria(ifNoneExist); err != nil {
			return Resource{}, false, err
		}
	}
	return c.write(ctx, request{
		method: http.MethodPost, path: "/" + typ, body: raw, ifNoneExist: ifNoneExist, repeatable: ifNoneExist != "", writes: true,
	}, typ, "")
}

// Update stores raw as typ/id, which raw must say too. With ifMatch, a VersionID, it does so
// only if that is the current version; if it is not, the error is fault.PreconditionFailed
// and MaybeDone of it says that an earlier attempt may have been the one that changed it.
// created is true if the server did not have the resource.
func (c *Client) Update(ctx context.Context, typ, id string, raw []byte, ifMatch string) (r Resource, created bool, err error) {
	if err := checkName(typ, id); err != nil {
		return Resource{}, false, err
	}
	if err := checkBody(typ, id, raw); err != nil {
		return Resource{}, false, err
	}
	req := request{method: http.MethodPut, path: "/" + typ + "/" + id, body: raw, repeatable: true, writes: true}
	if err := req.match(ifMatch); err != nil {
		return Resource{}, false, err
	}
	return c.write(ctx, req, typ, id)
}

// write sends a create or an update.
func (c *Client) write(ctx context.Context, r request, typ, id string) (Resource, bool, error) {
	r.prefer = noCopy
	a, err := c.do(ctx, r)
	if err != nil {
		return Resource{}, false, err
	}
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		return Resource{}, false, nonsense(a, true, "the server does not say that it has stored the resource").fault()
	}
	w, failed := written(a, typ, id)
	if failed != nil {
		return Resource{}, false, failed.fault()
	}
	return w, a.status == http.StatusCreated, nil
}

// ConditionalUpdate stores raw as the one resource of type typ that query finds, or as a new
// one. query is a search such as "identifier=system%7Cvalue". Several matches are
// fault.PreconditionFailed. It is sent as a transaction of one entry.
func (c *Client) ConditionalUpdate(ctx context.Context, typ, query string, raw []byte) (Resource, bool, error) {
	if err := checkBody(typ, "", raw); err != nil {
		return Resource{}, false, err
	}
	if err := checkCriteria(query); err != nil {
		return Resource{}, false, err
	}
	entries, err := c.Transaction(ctx, oneEntry(typ+"?"+query, raw))
	if err != nil {
		return Resource{}, false, err
	}
	if e := entries[0]; e.Type == typ {
		return e.Resource, e.Status == http.StatusCreated, nil
	}
	return Resource{}, false, nonsense(answer{status: http.StatusOK}, true, "the answer does not say which resource was written").fault()
}

// Delete removes a resource; one that is deleted already is no error. With ifMatch, a
// VersionID, it does so only if that is the current version, on servers that look at it:
// HAPI 7.4 does not.
func (c *Client) Delete(ctx context.Context, typ, id, ifMatch string) error {
	if err := checkName(typ, id); err != nil {
		return err
	}
	req := request{method: http.MethodDelete, path: "/" + typ + "/" + id, repeatable: true, writes: true}
	if err := req.match(ifMatch); err != nil {
		return err
	}
	a, err := c.do(ctx, req)
	switch {
	case err != nil && fault.From(err).Is(errGone):
		return nil
	case err != nil:
		return err
	case len(a.body) > 0 && a.head.ResourceType != outcomeType && (a.head.ResourceType != typ || a.head.ID != id):
		return nonsense(a, true, "the answer holds another resource").fault()
	}
	return nil
}

// match makes r conditional on a version.
func (r *request) match(version string) error {
	if version == "" {
		return nil
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	r.ifMatch, r.versioned = `W/"`+version+`"`, true
	return nil
}

// checkBody checks that raw is what the address says it is; an empty id: any.
func checkBody(typ, id string, raw []byte) error {
	if err := checkType(typ); err != nil {
		return err
	}
	h, err := readHead(raw)
	switch {
	case err != nil:
		return badBody("", "The body is not a FHIR resource in JSON.", "Send one JSON object with a resourceType and no member twice.")
	case h.ResourceType != typ:
		return badBody("resourceType", "The resource is of another type than the address.", "Send it to the address of its type.")
	case id != "" && h.ID != id:
		return badBody("id", "The resource has another id than the address.", "Give the resource the id it is stored under.")
	}
	return nil
}

func badBody(path, detail, fix string) error {
	return fault.New(fault.Malformed, "fhir-body", detail).With(fault.Issue{Path: path, Rule: "fhir-body", Detail: detail, Fix: fix})
}

// parameterForm is a search parameter, perhaps with a modifier or a chain.
var parameterForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:-]*$`)

// checkCriteria checks a search that is part of a condition. A parameter without a value is
// refused: servers ignore it, and find everything.
func checkCriteria(query string) error {
	values, err := url.ParseQuery(query)
	ok := err == nil && len(values) > 0
	for name, list := range values {
		ok = ok && parameterForm.MatchString(name) && !slices.Contains(list, "")
	}
	for i := range len(query) {
		ok = ok && query[i] > ' ' && query[i] < 0x7f && query[i] != '#'
	}
	if !ok {
		return badName("query", "The condition is not an escaped search.", "Use escaped search parameters with values, such as identifier=system%7Cvalue.")
	}
	return nil
}
