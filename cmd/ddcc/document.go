package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// document is what the tool needs to see of a DDCC document.
type document struct {
	ID         string
	References []qrReference
}

// qrReference is one QR code in a document.
type qrReference struct {
	ID   string
	Text string // as encoded in the QR code
}

// readDocument finds the QR codes of a document.
func readDocument(raw []byte) (document, error) {
	var bundle struct {
		ID    string
		Entry []struct {
			Resource struct {
				ResourceType, ID string
				Content          []struct {
					Attachment struct{ ContentType, Data string }
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		return document{}, fmt.Errorf("not a FHIR document: %w", err)
	}
	doc := document{ID: bundle.ID}
	for _, entry := range bundle.Entry {
		for _, content := range entry.Resource.Content {
			if entry.Resource.ResourceType != "DocumentReference" || content.Attachment.ContentType != "text/plain" {
				continue
			}
			text, err := base64.StdEncoding.DecodeString(content.Attachment.Data)
			if err != nil {
				return document{}, fmt.Errorf("the QR text of the document: %w", err)
			}
			doc.References = append(doc.References, qrReference{ID: entry.Resource.ID, Text: string(text)})
		}
	}
	return doc, nil
}

// batchResponse is the answer to a batch; resources keep their bytes.
type batchResponse struct {
	Entry []struct {
		Resource json.RawMessage
		Response struct {
			Status   string
			Location string
			Outcome  json.RawMessage
		}
	}
}
