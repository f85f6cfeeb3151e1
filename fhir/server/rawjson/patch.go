package rawjson

import (
	"fmt"
	"slices"
)

// Operation is one operation of a JSON Patch (RFC 6902 §4).
type Operation struct {
	Op    string
	Path  Pointer
	From  Pointer // of move and copy
	Value []byte  // of add, replace and test
}

// PatchError says which operation cannot be read or done. It repeats no value and no path.
type PatchError struct {
	Index  int    // of the operation; -1: the patch as a whole
	Reason string // for the caller
	Read   bool   // the patch cannot be read; else it does not fit the text
}

// Error gives the reason with the place.
func (e *PatchError) Error() string { return fmt.Sprintf("operation %d: %s", e.Index, e.Reason) }

// ParsePatch reads a JSON Patch of at most most operations. Members that RFC 6902 does
// not define are ignored (§4). Errors: *strictjson.SyntaxError, *PatchError.
func ParsePatch(text []byte, l Limits, most int) ([]Operation, error) {
	root, err := Parse(text, l)
	if err != nil {
		return nil, err
	}
	if root.Kind != Array {
		return nil, &PatchError{-1, "the patch is not an array of operations", true}
	}
	if len(root.Items) > most {
		return nil, &PatchError{-1, fmt.Sprintf("the patch has more than %d operations", most), true}
	}
	out := make([]Operation, len(root.Items))
	for i := range root.Items {
		reason := ""
		if out[i], reason = operation(text, &root.Items[i]); reason != "" {
			return nil, &PatchError{i, reason, true}
		}
	}
	return out, nil
}

// operation reads one operation; a reason says why that is not possible.
func operation(text []byte, v *Value) (Operation, string) {
	name, _ := v.Get("op").Text(text)
	needs, known := map[string]string{
		"add": "value", "replace": "value", "test": "value", "remove": "", "move": "from", "copy": "from",
	}[name]
	if !known {
		return Operation{}, "op is none of add, remove, replace, move, copy, test"
	}
	o := Operation{Op: name}
	var ok bool
	if o.Path, ok = pointerOf(text, v.Get("path")); !ok {
		return o, "path is not a JSON pointer"
	}
	switch needs {
	case "value":
		if o.Value = v.Get("value").Raw(text); o.Value == nil {
			return o, "value is missing"
		}
	case "from":
		if o.From, ok = pointerOf(text, v.Get("from")); !ok {
			return o, "from is not a JSON pointer"
		}
	}
	return o, ""
}

func pointerOf(text []byte, v *Value) (Pointer, bool) {
	s, ok := v.Text(text)
	if !ok {
		return nil, false
	}
	return ParsePointer(s)
}

// Patch gives text after all operations, or an error after which nothing counts (RFC 6902
// §5). The result is never larger than size bytes. Errors: *PatchError for what does not
// fit, *strictjson.SyntaxError for a text beyond its limits.
func Patch(text []byte, operations []Operation, l Limits, size int) ([]byte, error) {
	for i, o := range operations {
		root, err := Parse(text, l)
		if err != nil {
			return nil, err
		}
		edits, reason := o.edits(text, root)
		if reason != "" {
			return nil, &PatchError{Index: i, Reason: reason}
		}
		if text, err = Apply(text, edits...); err != nil {
			return nil, &PatchError{Index: i, Reason: "a value cannot be moved into itself"}
		}
		if len(text) > size {
			return nil, &PatchError{Index: i, Reason: fmt.Sprintf("the result is larger than %d bytes", size)}
		}
	}
	return text, nil
}

const (
	reasonNoTarget = "there is nothing at path"
	reasonNoSource = "there is nothing at from"
	reasonNoPlace  = "path names no place for a value"
	reasonDiffers  = "the value at path is another one"
	reasonRoot     = "the whole resource cannot be removed or moved"
)

// edits are the changes of one operation to text.
func (o Operation) edits(text []byte, root *Value) ([]Edit, string) {
	switch o.Op {
	case "add":
		return one(o.Path.add(root, o.Value))
	case "replace":
		if v := o.Path.find(root); v != nil {
			return []Edit{v.Replace(o.Value)}, ""
		}
		return nil, reasonNoTarget
	case "remove":
		return one(o.Path.remove(root))
	case "test":
		return nil, o.test(text, root)
	default:
		return o.transfer(text, root)
	}
}

func one(e Edit, reason string) ([]Edit, string) { return []Edit{e}, reason }

func (o Operation) test(text []byte, root *Value) string {
	v := o.Path.find(root)
	if v == nil {
		return reasonNoTarget
	}
	if !Same(v.Raw(text), o.Value) {
		return reasonDiffers
	}
	return ""
}

// transfer is move and copy. A move removes first and adds to what is left (RFC 6902
// §4.4), and its place is named in what is left.
func (o Operation) transfer(text []byte, root *Value) ([]Edit, string) {
	source := o.From.find(root)
	if source == nil {
		return nil, reasonNoSource
	}
	value := slices.Clone(source.Raw(text))
	if o.Op == "copy" {
		return one(o.Path.add(root, value))
	}
	if slices.Equal(o.From, o.Path) {
		return nil, ""
	}
	if len(o.Path) > len(o.From) && slices.Equal(o.Path[:len(o.From)], o.From) {
		return nil, "a value cannot be moved into itself"
	}
	cut, reason := o.From.remove(root)
	if reason != "" {
		return nil, reason
	}
	left, err := Apply(text, cut)
	if err != nil {
		return nil, reasonNoSource
	}
	rest, err := Parse(left, Limits{Depth: unbounded, Values: unbounded}) // a part of what was within its limits
	if err != nil {
		return nil, reasonNoSource
	}
	add, reason := o.Path.add(rest, value)
	if reason != "" {
		return nil, reason
	}
	moved, err := Apply(left, add)
	if err != nil {
		return nil, reasonNoPlace
	}
	return []Edit{{0, len(text), moved}}, ""
}

const unbounded = 1 << 30
