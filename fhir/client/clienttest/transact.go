package clienttest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// step is one entry of a Bundle that is carried out.
type step struct {
	ask
	fullURL string
	place   int // in the Bundle
}

// bundle carries out a transaction or a batch (FHIR R4 http.html, "Batch/Transaction").
func (s *Store) bundle(a ask) (reply, error) {
	kind := text(a.content, "type")
	if text(a.content, "resourceType") != "Bundle" || kind != "transaction" && kind != "batch" {
		return refuse(http.StatusBadRequest, "invalid", "no transaction or batch")
	}
	var steps []step
	for n, raw := range list(a.content["entry"]) {
		e, _ := raw.(object)
		request, _ := e["request"].(object)
		path, query, _ := strings.Cut(text(request, "url"), "?")
		q, err := url.ParseQuery(query)
		if request == nil || err != nil {
			return refuse(http.StatusBadRequest, "invalid", "an entry without request")
		}
		content, _ := e["resource"].(object)
		steps = append(steps, step{ask{
			method: text(request, "method"), path: path, query: q, ifMatch: text(request, "ifMatch"),
			ifNoneExist: text(request, "ifNoneExist"), content: content, base: a.base,
		}, text(e, "fullUrl"), n})
	}
	if kind == "batch" {
		return reply{status: http.StatusOK, resource: s.each(steps)}, nil
	}
	s.undo = []func(){}
	entries, err := s.together(steps)
	if err != nil {
		for _, back := range slices.Backward(s.undo) {
			back()
		}
	}
	s.undo = nil
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, resource: object{"resourceType": "Bundle", "type": "transaction-response", "entry": entries}}, nil
}

func (s *Store) each(steps []step) object {
	entries := make([]any, len(steps))
	for n, one := range steps {
		out, err := s.route(one.ask)
		var no refusal
		if errors.As(err, &no) {
			entries[n] = object{"response": object{"status": strconv.Itoa(no.status), "outcome": no.outcome()}}
			continue
		}
		entries[n] = out.entry(one.method)
	}
	return object{"resourceType": "Bundle", "type": "batch-response", "entry": entries}
}

// rank is the order of a transaction's methods.
var rank = map[string]int{http.MethodDelete: 0, http.MethodPost: 1, http.MethodPut: 2, http.MethodGet: 3}

func (s *Store) together(steps []step) ([]any, error) {
	places := map[string]string{} // address of each entry by its fullUrl
	identities := map[string]bool{}
	for n := range steps {
		one := &steps[n]
		if _, known := rank[one.method]; !known {
			return nil, refusal{http.StatusBadRequest, "not-supported", "unknown method"}
		}
		where, err := s.address(one)
		if err != nil {
			return nil, err
		}
		if where != "" && one.method != http.MethodGet && identities[where] {
			return nil, refusal{http.StatusBadRequest, "duplicate", "the same resource twice"}
		}
		identities[where] = true
		if one.fullURL != "" {
			places[one.fullURL] = where
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return rank[a.method] - rank[b.method] })
	entries := make([]any, len(steps))
	for _, one := range steps {
		if one.content != nil {
			content, err := s.resolve(one.content, places)
			if err != nil {
				return nil, err
			}
			one.content, _ = content.(object)
		}
		out, err := s.route(one.ask)
		if err != nil {
			return nil, err
		}
		entries[one.place] = out.entry(one.method)
	}
	return entries, nil
}

// address says where an entry's resource will be, and gives a new one its id.
func (s *Store) address(one *step) (string, error) {
	condition := one.ifNoneExist
	if one.method == http.MethodPut && len(one.query) > 0 {
		condition = one.query.Encode()
	}
	if condition != "" {
		found, err := s.one(one.path, condition)
		if err != nil {
			return "", err
		}
		if found != nil {
			return found.typ + "/" + found.id, nil
		}
	}
	if one.method == http.MethodPost || condition != "" {
		one.id = s.newID()
		return one.path + "/" + one.id, nil
	}
	return one.path, nil
}

// resolve replaces references to entries and conditional references.
func (s *Store) resolve(v any, places map[string]string) (any, error) {
	switch v := v.(type) {
	case object:
		out := object{}
		for name, value := range v {
			changed, err := s.resolveMember(name, value, places)
			if err != nil {
				return nil, err
			}
			out[name] = changed
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for n, value := range v {
			changed, err := s.resolve(value, places)
			if err != nil {
				return nil, err
			}
			out[n] = changed
		}
		return out, nil
	}
	return v, nil
}

func (s *Store) resolveMember(name string, value any, places map[string]string) (any, error) {
	address, ok := value.(string)
	if !ok || name != "reference" && name != "url" {
		return s.resolve(value, places)
	}
	if where := places[address]; where != "" {
		return where, nil
	}
	typ, condition, conditional := strings.Cut(address, "?")
	if name != "reference" || !conditional {
		return value, nil
	}
	found, err := s.one(typ, condition)
	if err != nil || found == nil {
		return nil, refusal{http.StatusPreconditionFailed, "not-found", "a conditional reference finds not one resource"}
	}
	return typ + "/" + found.id, nil
}

// entry is the reply as an entry of a response.
func (o reply) entry(method string) object {
	response := object{"status": strconv.Itoa(o.status) + " " + http.StatusText(o.status)}
	e := object{"response": response}
	if o.of != nil {
		version, v := o.shown()
		response["etag"], response["location"] = etag(version), o.of.location(version)
		response["lastModified"] = v.at.Format("2006-01-02T15:04:05.000Z")
	}
	if method == http.MethodGet && o.resource != nil {
		e["resource"] = o.resource
	}
	return e
}
