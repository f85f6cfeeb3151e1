package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// history answers with the versions of a resource, of a type or of all, the newest first.
func (s *Server) history(ctx context.Context, tx *store.Tx, r request) (result, error) {
	span, self, err := historyRange(r)
	if err != nil {
		return result{}, err
	}
	if r.target.id != "" {
		if _, found, err := tx.Get(ctx, r.target.typ, r.target.id); err != nil || !found {
			return result{}, orNotFound(err)
		}
	}
	total, err := tx.Count(ctx, span)
	if err != nil {
		return result{}, err
	}
	span.Limit++ // one more tells whether there is another page
	versions, err := tx.History(ctx, span)
	if err != nil {
		return result{}, err
	}
	b := newBundle("history", s.newID(), s.clock())
	b.total = &total
	address := r.base + "/" + strings.TrimPrefix(strings.TrimSuffix(r.target.typ+"/"+r.target.id, "/")+"/_history", "/")
	b.link("self", address, self)
	if len(versions) == span.Limit {
		versions = versions[:span.Limit-1]
		b.next(address, self, versions[len(versions)-1].Seq)
	}
	for _, v := range versions {
		if err := b.past(r.base, v); err != nil {
			return result{}, err
		}
	}
	return result{status: http.StatusOK, body: b.bytes(), typ: "Bundle"}, nil
}

func orNotFound(err error) error {
	if err == nil {
		return errNotFound
	}
	return err
}

// historyRange reads _since and _count; self is the query without what is ignored.
func historyRange(r request) (store.Range, url.Values, error) {
	span := store.Range{Type: r.target.typ, ID: r.target.id, Limit: defaultCount}
	self := url.Values{}
	for name := range r.target.criteria() {
		value := r.target.query.Get(name)
		var err error
		switch name {
		case "_since":
			if span.Since, err = time.Parse(time.RFC3339, value); err != nil {
				return span, nil, malformed(name, "search-value", "The value is no instant.", "Send one such as 2026-11-21T09:30:00Z.")
			}
		case "_count":
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil || n == 0 {
				return span, nil, malformed(name, "search-value", "The value is no number of versions.", "Send a whole number from 1.")
			}
			span.Limit = min(int(n), maxCount)
		case search.CursorParameter:
			if span.Before, err = strconv.ParseInt(value, 10, 64); err != nil || span.Before < 1 {
				return span, nil, malformed(name, "search-cursor", "The place of the page is none of this history.", "Follow the links of the answer as they are.")
			}
			continue
		default:
			if r.prefer.strict {
				return span, nil, malformed("", "unknown-parameter", "A history has no such parameter.", "Use _since and _count.")
			}
			continue
		}
		self.Set(name, value)
	}
	return span, self, nil
}

// past adds a version with the interaction that made it.
func (b *bundle) past(base string, v store.Version) error {
	address := v.Type + "/" + v.ID
	b.begin(base + "/" + address)
	status := http.StatusOK
	if v.Deleted {
		status = http.StatusNoContent
	} else {
		raw, err := present(v)
		if err != nil {
			return err
		}
		member(&b.entries, "resource", raw)
		if v.Number == 1 {
			status = http.StatusCreated
		}
	}
	if v.Method == http.MethodPost {
		address = v.Type
	}
	member(&b.entries, "request", []byte(`{"method":"`+v.Method+`","url":"`+address+`"}`))
	b.response("", result{status: status, version: &v})
	b.end()
	return nil
}
