package clienttest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
)

// ask is one interaction, from a request or from an entry of a Bundle.
type ask struct {
	method, path         string // path below the base
	query                url.Values
	ifMatch, ifNoneExist string
	content              object
	id                   string // that a POST is to get; empty: a new one
	base                 string
}

// reply is the answer to one.
type reply struct {
	status   int
	resource object // nil: none
	of       *item  // whose version the headers tell
	version  int    // 0: the current one
}

// refusal is a failure with the status of its answer.
type refusal struct {
	status       int
	code, reason string
}

func (r refusal) Error() string { return r.reason }

func refuse(status int, code, reason string) (reply, error) {
	return reply{}, refusal{status, code, reason}
}

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := ask{
		method: r.Method, path: strings.Trim(strings.TrimPrefix(r.URL.Path, basePath), "/"), query: r.URL.Query(),
		ifMatch: r.Header.Get("If-Match"), ifNoneExist: r.Header.Get("If-None-Exist"), base: "https://" + r.Host + basePath,
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		if a.query, err = url.ParseQuery(string(raw)); err != nil {
			failWith(w, refusal{http.StatusBadRequest, "invalid", "no form"})
			return
		}
	case len(raw) > 0:
		if a.content, err = decode(raw); err != nil {
			failWith(w, refusal{http.StatusBadRequest, "structure", "no JSON"})
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := s.route(a)
	if err != nil {
		failWith(w, err)
		return
	}
	out.write(w, r, a.base)
}

func failWith(w http.ResponseWriter, err error) {
	var no refusal
	if !errors.As(err, &no) {
		no = refusal{http.StatusInternalServerError, "exception", "failed"}
	}
	w.Header().Set("Content-Type", fhirJSON)
	w.WriteHeader(no.status)
	_, _ = w.Write(encode(no.outcome()))
}

func (r refusal) outcome() object {
	return object{"resourceType": "OperationOutcome", "issue": []any{object{"severity": "error", "code": r.code, "diagnostics": r.reason}}}
}

func (o reply) write(w http.ResponseWriter, r *http.Request, base string) {
	h := w.Header()
	if o.of != nil {
		version, at := o.shown()
		h.Set("ETag", etag(version))
		h.Set("Last-Modified", at.at.Format(http.TimeFormat))
		if r.Method == http.MethodPost || o.status == http.StatusCreated {
			h.Set("Location", base+"/"+o.of.location(version))
		}
	}
	if o.resource == nil || r.Header.Get("Prefer") == "return=minimal" && o.of != nil && r.Method != http.MethodGet {
		w.WriteHeader(o.status)
		return
	}
	h.Set("Content-Type", fhirJSON)
	w.WriteHeader(o.status)
	_, _ = w.Write(encode(o.resource))
}

// shown gives the version that the reply is about.
func (o reply) shown() (int, stored) {
	version := o.version
	if version == 0 {
		version = len(o.of.versions)
	}
	return version, o.of.versions[version-1]
}

func (i *item) location(version int) string {
	return i.typ + "/" + i.id + "/_history/" + strconv.Itoa(version)
}

// route finds the interaction of a path; call it with the lock.
func (s *Store) route(a ask) (reply, error) {
	part := strings.Split(a.path, "/")
	if a.path != "" && a.path != "metadata" && !client.ValidType(part[0]) || len(part) > 1 && part[1] != "_search" && !client.ValidID(part[1]) {
		return refuse(http.StatusBadRequest, "invalid", "no such address")
	}
	if a.path != "" && a.path != "metadata" && !knownTypes[part[0]] {
		return refuse(http.StatusNotFound, "not-supported", "no such type")
	}
	switch shape := a.method + " " + strconv.Itoa(len(part)); {
	case a.path == "" && a.method == http.MethodPost:
		return s.bundle(a)
	case a.path == "" && a.method == http.MethodGet && a.query.Has(pageParameter):
		return s.page(a)
	case a.path == "metadata" && a.method == http.MethodGet:
		return reply{status: http.StatusOK, resource: object{"resourceType": "CapabilityStatement", "status": "active", "fhirVersion": "4.0.1"}}, nil
	case shape == "GET 1", shape == "POST 2" && part[1] == "_search":
		return s.search(part[0], a)
	case shape == "POST 1":
		return s.create(part[0], a)
	case shape == "PUT 1":
		return s.updateFound(part[0], a)
	case shape == "GET 2":
		return s.read(part[0], part[1], "")
	case shape == "PUT 2":
		return s.update(part[0], part[1], a)
	case shape == "DELETE 2":
		return s.remove(part[0], part[1], a)
	case shape == "GET 3" && part[2] == "_history":
		return s.history(part[0], part[1])
	case shape == "GET 4" && part[2] == "_history":
		return s.read(part[0], part[1], part[3])
	}
	return refuse(http.StatusMethodNotAllowed, "not-supported", "no such interaction")
}

func (s *Store) read(typ, id, version string) (reply, error) {
	i := s.items[typ+"/"+id]
	if i == nil {
		return refuse(http.StatusNotFound, "not-found", "never seen")
	}
	n := len(i.versions)
	if version != "" {
		var err error
		if n, err = strconv.Atoi(version); err != nil || n < 1 || n > len(i.versions) {
			return refuse(http.StatusNotFound, "not-found", "no such version")
		}
	}
	if i.versions[n-1].content == nil {
		return refuse(http.StatusGone, "deleted", "deleted")
	}
	return reply{status: http.StatusOK, resource: i.versions[n-1].content, of: i, version: n}, nil
}

func (s *Store) create(typ string, a ask) (reply, error) {
	if text(a.content, "resourceType") != typ {
		return refuse(http.StatusBadRequest, "invalid", "another type")
	}
	if a.ifNoneExist != "" {
		found, err := s.one(typ, a.ifNoneExist)
		if err != nil {
			return reply{}, err
		}
		if found != nil {
			return reply{status: http.StatusOK, resource: found.now().content, of: found}, nil
		}
	}
	id := a.id
	if id == "" {
		id = s.newID()
	}
	i := s.put(http.MethodPost, typ, id, a.content)
	return reply{status: http.StatusCreated, resource: i.now().content, of: i}, nil
}

func (s *Store) update(typ, id string, a ask) (reply, error) {
	if text(a.content, "resourceType") != typ || text(a.content, "id") != id {
		return refuse(http.StatusBadRequest, "invalid", "another type or id")
	}
	i := s.items[typ+"/"+id]
	if err := matches(i, a.ifMatch); err != nil {
		return reply{}, err
	}
	status := http.StatusOK
	if i == nil || i.now().content == nil {
		status = http.StatusCreated
	}
	i = s.put(http.MethodPut, typ, id, a.content)
	return reply{status: status, resource: i.now().content, of: i}, nil
}

// updateFound is a conditional update.
func (s *Store) updateFound(typ string, a ask) (reply, error) {
	found, err := s.one(typ, a.query.Encode())
	if err != nil {
		return reply{}, err
	}
	if found == nil {
		return s.create(typ, a)
	}
	i := s.put(http.MethodPut, typ, found.id, a.content)
	return reply{status: http.StatusOK, resource: i.now().content, of: i}, nil
}

func (s *Store) remove(typ, id string, a ask) (reply, error) {
	i := s.items[typ+"/"+id]
	if err := matches(i, a.ifMatch); err != nil {
		return reply{}, err
	}
	if i != nil && i.now().content != nil {
		s.put(http.MethodDelete, typ, id, nil)
	}
	return reply{status: http.StatusNoContent}, nil
}

// matches checks If-Match.
func matches(i *item, ifMatch string) error {
	if ifMatch == "" {
		return nil
	}
	if i == nil || unquote(ifMatch) != strconv.Itoa(len(i.versions)) {
		return refusal{http.StatusPreconditionFailed, "conflict", "another version"}
	}
	return nil
}

func (s *Store) history(typ, id string) (reply, error) {
	i := s.items[typ+"/"+id]
	if i == nil {
		return refuse(http.StatusNotFound, "not-found", "never seen")
	}
	var entries []any
	for n := len(i.versions); n > 0; n-- {
		v := i.versions[n-1]
		e := object{
			"fullUrl":  "urn:example:" + typ + "/" + id,
			"request":  object{"method": v.method, "url": typ + "/" + id},
			"response": object{"status": "200", "etag": etag(n), "location": i.location(n)},
		}
		if v.content != nil {
			e["resource"] = v.content
		}
		entries = append(entries, e)
	}
	return reply{status: http.StatusOK, resource: object{"resourceType": "Bundle", "type": "history", "entry": entries}}, nil
}
