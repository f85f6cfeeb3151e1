package server

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// maxDocument bounds the resources of one document.
const maxDocument = 1000

// document is $document: a Composition and what it refers to, directly or through others,
// as a Bundle of type document (FHIR R4, documents.html). What the Composition itself
// refers to must be here; what lies behind that may be elsewhere.
func (s *Server) document(ctx context.Context, tx *store.Tx, r request) ([]byte, error) {
	first, err := find(ctx, tx, target{typ: "Composition", id: r.target.id})
	if err != nil {
		return nil, err
	}
	all := []store.Version{first}
	seen := map[string]bool{"Composition/" + first.ID: true}
	for i := 0; i < len(all); i++ {
		for _, ref := range references(r.base, all[i].Raw) {
			if seen[ref.typ+"/"+ref.id] {
				continue
			}
			seen[ref.typ+"/"+ref.id] = true
			v, found, err := tx.Get(ctx, ref.typ, ref.id)
			switch {
			case err != nil:
				return nil, err
			case found && !v.Deleted:
				all = append(all, v)
			case i == 0:
				return nil, refused("Composition", "incomplete-document", "The Composition refers to a "+ref.typ+" that is not here.", "Store what the Composition refers to.")
			}
			if len(all) > maxDocument {
				return nil, refused("Composition", "document-size", "The document would have more than 1000 resources.", "Refer to less.")
			}
		}
	}
	b := newBundle("document", s.newID(), s.clock())
	b.head = documentHead(s.newID(), instant(s.clock()))
	for _, v := range all {
		if err := b.found(r.base, v, "", view{}); err != nil {
			return nil, err
		}
	}
	return b.bytes(), nil
}

func documentHead(id, timestamp string) []byte {
	var head bytes.Buffer
	head.WriteByte(',')
	value := "urn:uuid:" + id
	if uuid.Validate(id) != nil {
		value = id
	}
	head.WriteString(`"identifier":{"system":"urn:ietf:rfc3986","value":` + string(rawjson.Quote(value)) + `}`)
	text(&head, "timestamp", timestamp)
	return head.Bytes()
}

// references gives the resources of this server that a text refers to.
func references(base string, raw []byte) []target {
	root, err := rawjson.Parse(raw, limits)
	if err != nil {
		return nil
	}
	var out []target
	schema.Walk(raw, root, func(v *rawjson.Value, kind string) {
		if kind != "Reference" {
			return
		}
		name, _ := v.Get("reference").Text(raw)
		name = strings.TrimPrefix(name, base+"/")
		if strings.ContainsAny(name, ":#?") || !strings.Contains(name, "/") {
			return
		}
		if t, err := parseTarget(name, ""); err == nil && t.id != "" && t.operation == "" {
			out = append(out, t)
		}
	})
	return out
}

// persist is $document with persist=true: the document is stored as well.
func (s *Server) persist(ctx context.Context, r request) (result, error) {
	var out result
	err := s.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		body, err := s.document(ctx, tx, r)
		if err != nil {
			return err
		}
		d, err := newDraft("Bundle", body, false)
		if err != nil {
			return err
		}
		c := change{request: request{method: http.MethodPost, target: target{typ: "Bundle"}}, draft: d, newID: d.id}
		out, err = s.put(ctx, tx, c, d.id, true)
		return err
	})
	return out, err
}
