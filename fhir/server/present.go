package server

import (
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// instant writes a time as lastUpdated has it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// present gives a version as it is read: the bytes that were sent, with id,
// meta.versionId and meta.lastUpdated put in, or in place of what was sent for them.
func present(v store.Version) ([]byte, error) {
	edits, err := presentation(v)
	if err != nil {
		return nil, err
	}
	return rawjson.Apply(v.Raw, edits...)
}

// presentation is the edits that present makes.
func presentation(v store.Version) ([]rawjson.Edit, error) {
	root, err := rawjson.Members(v.Raw)
	if err != nil {
		return nil, err
	}
	var edits []rawjson.Edit
	after := root.Get("resourceType")
	if id := root.Get("id"); id != nil {
		if same, _ := id.Text(v.Raw); same != v.ID {
			edits = append(edits, id.Replace(rawjson.Quote(v.ID)))
		}
		after = id
	} else {
		edits = append(edits, after.InsertAfter("id", rawjson.Quote(v.ID)))
	}
	meta := root.Get("meta")
	if meta == nil {
		return append(edits, after.InsertAfter("meta", versionMeta(v))), nil
	}
	inner, err := metaEdits(meta, v)
	return append(edits, inner...), err
}

func versionMeta(v store.Version) []byte {
	return []byte(`{"versionId":"` + strconv.FormatInt(v.Number, 10) + `","lastUpdated":"` + instant(v.Updated) + `"}`)
}

// metaEdits set the two members in the meta that was sent.
func metaEdits(at *rawjson.Value, v store.Version) ([]rawjson.Edit, error) {
	meta, err := rawjson.Members(at.Raw(v.Raw))
	if err != nil {
		return nil, err
	}
	var edits []rawjson.Edit
	missing := rawjson.Value{Kind: rawjson.Object, Start: at.Start, Items: meta.Items}
	for _, m := range []struct{ name, value string }{
		{"versionId", strconv.FormatInt(v.Number, 10)}, {"lastUpdated", instant(v.Updated)},
	} {
		if old := meta.Get(m.name); old != nil {
			edits = append(edits, rawjson.Edit{Start: at.Start + old.Start, End: at.Start + old.End, With: rawjson.Quote(m.value)})
			continue
		}
		edits = append(edits, missing.InsertFirst(m.name, rawjson.Quote(m.value)))
	}
	if len(meta.Items) == 0 { // two members, and nothing behind the second
		edits[0].With = append(edits[0].With, ',')
	}
	return edits, nil
}
