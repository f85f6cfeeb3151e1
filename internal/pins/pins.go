// Package pins keeps modules in go.mod until their users are written. Remove it then.
package pins

import (
	_ "github.com/FastFilter/xorfilter"
	_ "github.com/boombuler/barcode/code128"
	_ "github.com/go-text/typesetting/di"
	_ "github.com/go-text/typesetting/font"
	_ "github.com/go-text/typesetting/font/opentype"
	_ "github.com/go-text/typesetting/segmenter"
	_ "github.com/go-text/typesetting/shaping"
	_ "github.com/santhosh-tekuri/jsonschema/v6"
	_ "golang.org/x/text/unicode/bidi"
	_ "golang.org/x/text/width"
)
