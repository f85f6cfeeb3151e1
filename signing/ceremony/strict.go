package ceremony

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// maxDepth bounds the nesting of a file.
const maxDepth = 16

// strict decodes JSON into a struct and refuses what a reviewer could overlook: members
// that are unknown, written in other letters or given twice, and anything behind the end.
func strict(raw []byte, into any) error {
	var c complaints
	decoder := json.NewDecoder(bytes.NewReader(raw))
	err := members(decoder, reflect.TypeOf(into), "", 0, &c)
	if _, end := decoder.Token(); err == nil && !errors.Is(end, io.EOF) {
		err = errors.New("there is something behind the end of the object")
	}
	if err != nil {
		c.add("", "json", "Not one JSON object: "+err.Error()+".", "Correct the file.")
		return c.err()
	}
	if len(c) > 0 {
		return c.err()
	}
	if err := json.Unmarshal(raw, into); err != nil {
		path, want := "", ""
		if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
			path, want = pointer(wrong.Field), fmt.Sprintf(" Want a %s.", wrong.Type)
		}
		c.add(path, "type", "The value has the wrong type or form."+want, "Correct the value.")
	}
	return c.err()
}

// pointer turns the dotted name of encoding/json into a JSON pointer.
func pointer(dotted string) string { return "/" + strings.ReplaceAll(dotted, ".", "/") }

// members walks one value beside the type that will hold it.
func members(d *json.Decoder, t reflect.Type, path string, depth int, c *complaints) error {
	if depth > maxDepth {
		return errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	t = pointed(t)
	if t == reflect.TypeFor[time.Time]() && token != nil {
		text, _ := token.(string)
		_, err := time.Parse(time.RFC3339, text)
		c.unless(err == nil, path, "time", "Not a time.", `Write it like "2026-12-01T00:00:00Z".`)
	}
	switch token {
	case json.Delim('{'):
		return object(d, t, path, depth, c)
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := members(d, element(t), fmt.Sprintf("%s/%d", path, i), depth+1, c); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func object(d *json.Decoder, t reflect.Type, path string, depth int, c *complaints) error {
	fields, seen := fieldsOf(t), map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		at := path + "/" + name
		field, known := fields[name]
		c.unless(known || fields == nil, at, "unknown-member", "There is no such member.", "Remove it, or write its name as documented.")
		c.unless(!seen[name], at, "duplicate-member", "The member is given twice.", "Give it once.")
		seen[name] = true
		if err := members(d, field, at, depth+1, c); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// fieldsOf lists the members of a struct by name; nil for any other type.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	fields := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f.Type
	}
	return fields
}

func pointed(t reflect.Type) reflect.Type {
	if t != nil && t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// element is the type of a list's elements; nil for any other type.
func element(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice {
		return nil
	}
	return t.Elem()
}
