package schema

import (
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
)

// Walk calls use for every value of a known type in a resource: complex values before what
// is in them, with the name of their type. Resources within a Bundle or Parameters are not
// entered, they are wholes of their own; contained ones are. Elements that R4 does not have
// are passed over.
func Walk(text []byte, resource *rawjson.Value, use func(v *rawjson.Value, kind string)) {
	name, _ := resource.Get("resourceType").Text(text)
	walker{text, use}.object(resource, name)
}

type walker struct {
	text []byte
	use  func(v *rawjson.Value, kind string)
}

func (w walker) object(v *rawjson.Value, of string) {
	b := loaded().blocks[of]
	if b == nil || v.Kind != rawjson.Object {
		return
	}
	for i := range v.Items {
		m, ok := b.byName[v.Items[i].Name]
		if !ok {
			continue
		}
		if m.kind == "Resource" && m.element.name != "contained" {
			continue
		}
		w.values(&v.Items[i], m.kind)
	}
}

func (w walker) values(v *rawjson.Value, kind string) {
	if v.Kind == rawjson.Array {
		for i := range v.Items {
			w.one(&v.Items[i], kind)
		}
		return
	}
	w.one(v, kind)
}

func (w walker) one(v *rawjson.Value, kind string) {
	if path, ok := strings.CutPrefix(kind, "@"); ok {
		w.object(v, path)
		return
	}
	w.use(v, kind)
	if kind == "Resource" {
		kind, _ = v.Get("resourceType").Text(w.text)
	}
	w.object(v, kind)
}
