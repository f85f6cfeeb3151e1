package harness

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

// Certificate is what a test looks at in a DDCC document.
type Certificate struct {
	ID          string // of the Bundle
	ReferenceID string // of the QR DocumentReference
	Text        string // HC1
	Image       []byte // PNG in the document
	Resources   map[string][]map[string]any
}

// ReadCertificate takes a document apart.
func ReadCertificate(t testing.TB, document []byte) Certificate {
	t.Helper()
	var bundle struct {
		ResourceType, ID, Type string
		Entry                  []struct{ Resource map[string]any }
	}
	if err := json.Unmarshal(document, &bundle); err != nil || bundle.ResourceType != "Bundle" || bundle.Type != "document" {
		t.Fatalf("not a document (%v):\n%.400s", err, document)
	}
	c := Certificate{ID: bundle.ID, Resources: map[string][]map[string]any{}}
	for _, e := range bundle.Entry {
		kind, _ := e.Resource["resourceType"].(string)
		c.Resources[kind] = append(c.Resources[kind], e.Resource)
	}
	for _, reference := range c.Resources["DocumentReference"] {
		c.ReferenceID, _ = reference["id"].(string)
		contents, _ := reference["content"].([]any)
		for _, content := range contents {
			attachment, _ := content.(map[string]any)["attachment"].(map[string]any)
			data, _ := attachment["data"].(string)
			raw, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				t.Fatal(err)
			}
			switch attachment["contentType"] {
			case "text/plain":
				c.Text = string(raw)
			case "image/png":
				c.Image = raw
			}
		}
	}
	if c.Text == "" {
		t.Fatalf("the document holds no certificate text:\n%.400s", document)
	}
	return c
}
