package arch

import (
	"slices"
	"strings"
	"testing"
)

// readers lists what each reader may import beside the standard library. The signer's
// self-check is worth something only while what reads shares nothing with what writes.
var readers = map[string][]string{
	"formats/hcert/reader": {"github.com/fxamacker/cbor/v2"},
	"formats/shc/reader":   {module + "formats/strictjson"},
	"formats/vdsnc/reader": {
		"github.com/go-json-experiment/json", "github.com/go-json-experiment/json/jsontext", module + "formats/strictjson",
		"golang.org/x/crypto/cryptobyte", "golang.org/x/crypto/cryptobyte/asn1", "golang.org/x/text/unicode/norm",
	},
}

func TestReadersImportLittle(t *testing.T) {
	t.Parallel()
	for reader, may := range readers {
		found := list(t, module+reader)
		if len(found) != 1 {
			t.Fatalf("%s: %d packages", reader, len(found))
		}
		for _, path := range found[0].Imports {
			if strings.Contains(path, ".") && !slices.Contains(may, path) {
				t.Errorf("%s imports %s", reader, path)
			}
		}
	}
}
