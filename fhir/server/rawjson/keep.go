package rawjson

import "errors"

// Keep gives text, an object, with only those members for which keep is true.
func Keep(text []byte, v *Value, keep func(name string) bool) ([]byte, error) {
	if v == nil || v.Kind != Object {
		return nil, errors.New("rawjson: not an object")
	}
	out := []byte{'{'}
	for _, m := range v.Items {
		if !keep(m.Name) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, text[m.NameStart:m.End]...)
	}
	return append(out, '}'), nil
}
