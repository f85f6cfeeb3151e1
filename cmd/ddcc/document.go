package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// document is what the tool needs to see of a DDCC document.
type document struct {
	ID         string
	References []qrReference
}

// qrReference is one QR code in a document: one certificate.
type qrReference struct {
	ID     string
	Format string // as the gateway names it
	Text   string // as encoded in the QR code
	Image  []byte // PNG; empty when the document has none
}

type documentBundle struct {
	ID    string
	Entry []struct {
		Resource struct {
			ResourceType, ID string
			Type             struct{ Coding []struct{ Code string } }
			Content          []struct {
				Attachment struct{ ContentType, Data string }
			}
		}
	}
}

// readDocument finds the QR codes of a document.
func readDocument(raw []byte) (document, error) {
	var bundle documentBundle
	if err := json.Unmarshal(raw, &bundle); err != nil {
		return document{}, fmt.Errorf("not a FHIR document: %w", err)
	}
	doc := document{ID: bundle.ID}
	for _, entry := range bundle.Entry {
		if entry.Resource.ResourceType != "DocumentReference" {
			continue
		}
		reference := qrReference{ID: entry.Resource.ID}
		for _, content := range entry.Resource.Content {
			data, err := base64.StdEncoding.DecodeString(content.Attachment.Data)
			if err != nil {
				return document{}, fmt.Errorf("a QR code of the document: %w", err)
			}
			switch content.Attachment.ContentType {
			case "text/plain":
				reference.Text = string(data)
			case "image/png":
				reference.Image = data
			}
		}
		if reference.Text == "" {
			continue
		}
		for _, coding := range entry.Resource.Type.Coding {
			reference.Format = formatOf(coding.Code, reference.Text)
		}
		doc.References = append(doc.References, reference)
	}
	return doc, nil
}

// kept are the files of a document, in the order they are to be named.
type kept struct {
	document string
	texts    []string // one for each certificate
	pictures []string
}

// keepDocument writes a document and the text and picture of each of its certificates; name
// makes their paths.
func keepDocument(raw []byte, doc document, name func(format, extension string) string) (kept, error) {
	k := kept{document: name("", "document.json")}
	if err := os.WriteFile(k.document, raw, 0o600); err != nil {
		return kept{}, err
	}
	for _, reference := range doc.References {
		text, picture := name(reference.Format, "txt"), name(reference.Format, "png")
		if err := os.WriteFile(text, []byte(reference.Text), 0o600); err != nil {
			return kept{}, err
		}
		k.texts = append(k.texts, text)
		if len(reference.Image) == 0 {
			continue
		}
		if err := os.WriteFile(picture, reference.Image, 0o600); err != nil {
			return kept{}, err
		}
		k.pictures = append(k.pictures, picture)
	}
	return k, nil
}

// inFolder names files after a certificate: ID.document.json, ID.dcc.txt, ID.dcc.png.
func inFolder(dir, id string) func(format, extension string) string {
	return func(format, extension string) string {
		// Both come from the gateway, and neither may lead out of dir.
		parts := []string{filepath.Base(id), filepath.Base(format), extension}
		if format == "" {
			parts = []string{filepath.Base(id), extension}
		}
		return filepath.Join(dir, strings.Join(parts, "."))
	}
}

// batchResponse is the answer to a batch; resources keep their bytes.
type batchResponse struct {
	Entry []batchEntry
}

type batchEntry struct {
	Resource json.RawMessage
	Response struct {
		Status   string
		Location string
		Outcome  json.RawMessage
	}
}

// parameters is the answer to a request that named formats, or to an operation.
type parameters struct {
	ResourceType string
	Parameter    []parameter
}

type parameter struct {
	Name         string
	ValueString  string
	ValueCode    string
	ValueBoolean bool
	ValueInteger int
	Resource     json.RawMessage
	Part         []parameter
}

// find gives the first of a name, or nothing.
func find(list []parameter, name string) parameter {
	for _, p := range list {
		if p.Name == name {
			return p
		}
	}
	return parameter{}
}

// words are what a parameter says as a code or a text.
func (p parameter) words() string { return p.ValueCode + p.ValueString }
