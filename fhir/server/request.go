package server

import (
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// request is one interaction, of HTTP or of an entry of a Bundle.
type request struct {
	method string
	target target
	base   string // of the addresses in the answer
	conditions
	prefer prefer
	body   []byte
}

// conditions are the headers that make an interaction conditional.
type conditions struct {
	ifMatch, ifNoneMatch, ifNoneExist, ifModifiedSince string
}

// prefer is what the header of this name asks for (RFC 7240; FHIR R4, http.html#ops).
type prefer struct {
	returns string // minimal, representation or OperationOutcome; empty: not said
	strict  bool   // handling=strict
}

func parsePrefer(headers []string) prefer {
	var p prefer
	for _, header := range headers {
		for part := range strings.FieldsFuncSeq(header, func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			value = strings.Trim(value, `"`)
			switch {
			case strings.EqualFold(name, "handling"):
				p.strict = strings.EqualFold(value, "strict")
			case strings.EqualFold(name, "return") && (value == "minimal" || value == "representation" || value == "OperationOutcome"):
				p.returns = value
			}
		}
	}
	return p
}

// result is the answer to one interaction.
type result struct {
	status  int
	version *store.Version // what was read or made: ETag, Last-Modified, Location
	write   bool           // version was made, or found in its place
	body    []byte         // what was asked for; of a write, see prefer
	typ     string         // of body
	issues  []fault.Issue  // that do not keep the interaction from success
}

func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// tagVersion reads an ETag of ours, weak or strong.
func tagVersion(tag string) (int64, bool) {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, false
	}
	n, err := strconv.ParseInt(tag[1:len(tag)-1], 10, 64)
	return n, err == nil && n > 0
}

// check holds a write against the current version; none means that there is no resource.
func (c conditions) check(current store.Version, found bool) error {
	exists := found && !current.Deleted
	if c.ifMatch != "" {
		n, ok := tagVersion(c.ifMatch)
		switch {
		case c.ifMatch == "*" && exists:
		case !ok && c.ifMatch != "*":
			return malformed("If-Match", "etag", "The header is not one version.", `Send the ETag that was read, such as W/"3".`)
		case !exists || n != current.Number:
			return errVersion
		}
	}
	if c.ifNoneMatch != "" {
		if c.ifNoneMatch != "*" {
			return malformed("If-None-Match", "etag", "A write understands * alone.", "Send *, or leave the header out.")
		}
		if exists {
			return errExists
		}
	}
	return nil
}

// unchanged reports whether a reader has the version already (RFC 9110 §13.2.2: the
// date counts only without a tag).
func (c conditions) unchanged(v store.Version) bool {
	if c.ifNoneMatch != "" {
		for tag := range strings.SplitSeq(c.ifNoneMatch, ",") {
			if n, ok := tagVersion(tag); ok && n == v.Number || strings.TrimSpace(tag) == "*" {
				return true
			}
		}
		return false
	}
	since, err := time.Parse(time.RFC1123, c.ifModifiedSince)
	return err == nil && !v.Updated.Truncate(time.Second).After(since)
}
