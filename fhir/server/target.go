package server

import (
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// target is what an address means, in HTTP and in the entries of a Bundle.
type target struct {
	typ, id   string // empty: the system, the type
	version   int64  // of _history/n; 0: none
	history   bool
	search    bool   // _search
	operation string // $name, or metadata
	query     url.Values
}

// parseTarget reads an address relative to the base.
func parseTarget(path, rawQuery string) (target, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return target{}, malformed("", "query", "The query of the address cannot be read.", "Percent-encode it (RFC 3986).")
	}
	t := target{query: query}
	var segments []string
	if path = strings.Trim(path, "/"); path != "" {
		segments = strings.Split(path, "/")
	}
	for i := range segments {
		if segments[i], err = url.PathUnescape(segments[i]); err != nil {
			return target{}, errAddress
		}
	}
	if err := t.read(segments); err != nil {
		return target{}, err
	}
	return t, nil
}

// read takes the segments in the order FHIR gives them: type, id, _history, version,
// with an operation at the end.
func (t *target) read(segments []string) error {
	if n := len(segments); n > 0 {
		switch last := segments[n-1]; {
		case strings.HasPrefix(last, "$"), n == 1 && last == "metadata":
			t.operation, segments = last, segments[:n-1]
		case last == "_search":
			t.search, segments = true, segments[:n-1]
		}
	}
	if len(segments) > 0 && segments[0] != "_history" {
		t.typ, segments = segments[0], segments[1:]
		if !schema.IsResource(t.typ) {
			return fault.New(fault.NotFound, "unknown-type", "FHIR R4 has no resource type of this name.")
		}
	}
	if t.typ != "" && len(segments) > 0 && segments[0] != "_history" {
		t.id, segments = segments[0], segments[1:]
	}
	if len(segments) > 0 && segments[0] == "_history" {
		t.history, segments = true, segments[1:]
	}
	if t.history && t.id != "" && len(segments) > 0 {
		n, err := strconv.ParseInt(segments[0], 10, 64)
		if err != nil || n < 1 {
			return errNotFound
		}
		t.version, segments = n, segments[1:]
	}
	if len(segments) > 0 || t.search && (t.id != "" || t.history) {
		return errAddress
	}
	return nil
}

// entryTarget reads the url of an entry's request: relative to the base, or absolute
// below it.
func (s *Server) entryTarget(base, address string) (target, error) {
	if base != "" {
		address = strings.TrimPrefix(address, base+"/")
	}
	path, query, _ := strings.Cut(address, "?")
	return parseTarget(path, query)
}

// presentational are parameters that shape an answer and choose nothing.
var presentational = []string{"_format", "_pretty", "_summary", "_elements"}

// criteria are the parameters of the query that choose resources.
func (t target) criteria() url.Values {
	out := maps.Clone(t.query)
	for _, name := range presentational {
		out.Del(name)
	}
	return out
}
