package rawjson

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Edit puts With in place of the bytes from Start to End.
type Edit struct {
	Start, End int
	With       []byte
}

// ErrOverlap reports edits of the same bytes.
var ErrOverlap = errors.New("rawjson: edits overlap")

// Apply gives text with all edits made; their offsets are those of text itself, which is
// not changed. Edits at one place are made in the order given.
func Apply(text []byte, edits ...Edit) ([]byte, error) {
	if len(edits) == 0 {
		return text, nil
	}
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.Start, b.Start) })
	size := len(text)
	for _, e := range edits {
		size += len(e.With)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(text) {
			return nil, ErrOverlap
		}
		out = append(append(out, text[at:e.Start]...), e.With...)
		at = e.End
	}
	return append(out, text[at:]...), nil
}

// Quote gives s as a JSON string.
func Quote(s string) []byte {
	out, err := jsontext.AppendQuote(nil, s)
	if err != nil { // invalid UTF-8, which no caller has
		return []byte(`""`)
	}
	return out
}

// Replace is the edit that puts with in place of v.
func (v *Value) Replace(with []byte) Edit { return Edit{v.Start, v.End, with} }

// InsertAfter is the edit that puts a member behind the member v of an object.
func (v *Value) InsertAfter(name string, value []byte) Edit {
	return Edit{v.End, v.End, append([]byte{','}, member(name, value)...)}
}

// InsertFirst is the edit that puts a member before all others of the object v.
func (v *Value) InsertFirst(name string, value []byte) Edit {
	with := member(name, value)
	if len(v.Items) > 0 {
		with = append(with, ',')
	}
	return Edit{v.Start + 1, v.Start + 1, with}
}

func member(name string, value []byte) []byte {
	return bytes.Join([][]byte{Quote(name), value}, []byte{':'})
}

// cut is the edit that takes item i and one separating comma out of v.
func (v *Value) cut(i int) Edit {
	start := func(i int) int {
		if v.Kind == Object {
			return v.Items[i].NameStart
		}
		return v.Items[i].Start
	}
	switch {
	case i+1 < len(v.Items):
		return Edit{Start: start(i), End: start(i + 1)}
	case i > 0:
		return Edit{Start: v.Items[i-1].End, End: v.Items[i].End}
	default:
		return Edit{Start: start(i), End: v.Items[i].End}
	}
}
