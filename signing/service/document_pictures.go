package service

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// picture is a QR code that a document must show: its type and the text of a certificate
// that was released.
type picture struct{ kind, text string }

// pictures gives those of a document: of the event's WHO DDCC, and of each certificate that
// was released beside it and that the intent names.
func (s *Service) pictures(ctx context.Context, caller string, event signing.Certificate, in signing.DocumentIntent) ([]picture, error) {
	if len(in.Certificates) > len(kinds) {
		return nil, errDocument.With(notBeside("certificates"))
	}
	out := []picture{{kinds[event.Profile].picture, event.Text}}
	for i, id := range in.Certificates {
		path := fmt.Sprintf("certificates[%d]", i)
		if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id || slices.Contains(in.Certificates[:i], id) {
			return nil, errDocument.With(notBeside(path))
		}
		found, err := s.ledger.find(ctx, id)
		if errors.Is(err, errUnknown) || errors.Is(err, errCancelled) || err == nil && found.Event != in.ID {
			return nil, errDocument.With(notBeside(path))
		}
		if err != nil {
			return nil, err
		}
		if _, err := s.policy.AdmitDocument(caller, found.Profile); err != nil {
			return nil, err
		}
		out = append(out, picture{kinds[found.Profile].picture, found.Text})
	}
	return out, nil
}

func notBeside(path string) fault.Issue {
	return fault.Issue{
		Path: path, Rule: "document-certificates", Detail: "No certificate stands released under this id beside the event.",
		Fix: "Name each intent that was released beside the event once.",
	}
}

// What a document calls its pictures. The code system of the guide has no code for WHO's
// own certificate of vaccination, so that one has a system of its own.
var pictureNames = map[string]string{
	"who": "WHO DDCC", "dcc": "EU DCC", "shc": "SMART Health Card", "icao": "ICAO", "icvp": "WHO ICVP",
}

const (
	pictureDescription  = "QR code of the certificate, "
	pictureSystemOfICVP = "urn:ddcc-gateway:qr-type"
)

var pictureSystems = []any{
	"http://smart.who.int/ddcc/CodeSystem/DDCCQRTypeCodeSystem",
	"http://worldhealthorganization.github.io/ddcc/CodeSystem/DDCCQRTypeCodeSystem",
}

// codes checks that the QR codes of the document are the released certificates, each once:
// one text, and the picture that belongs to it.
func (c *comparison) codes(want []picture) error {
	left := slices.Clone(want)
	for _, reference := range c.all("DocumentReference") {
		stated := attachment(reference, "text/plain")
		at := slices.IndexFunc(left, func(p picture) bool { return stated == base64.StdEncoding.EncodeToString([]byte(p.text)) })
		if at < 0 {
			c.same("DocumentReference.content.attachment.data", "another text", "a certificate that was released")
			continue
		}
		if err := c.oneCode(reference, left[at]); err != nil {
			return err
		}
		left = slices.Delete(left, at, at+1)
	}
	c.same("DocumentReference.count()", len(left), 0)
	return nil
}

// oneCode compares one DocumentReference with the picture whose text it has.
func (c *comparison) oneCode(reference any, p picture) error {
	image, err := symbol.PNG(p.text)
	if err != nil {
		return err
	}
	kind := dig(reference, "type", "coding", 0)
	c.same("DocumentReference.type.coding.code", dig(kind, "code"), p.kind)
	if system := dig(kind, "system"); p.kind == "icvp" || !slices.Contains(pictureSystems, system) {
		c.repeated("DocumentReference.type.coding.system", system, pictureSystem(p.kind))
	}
	c.repeated("DocumentReference.status", dig(reference, "status"), "current")
	c.repeated("DocumentReference.description", dig(reference, "description"), pictureDescription+pictureNames[p.kind])
	c.repeated("DocumentReference.category", dig(reference, "category", 0, "coding", 0, "code"), p.kind)
	c.same("DocumentReference.content.count()", size(dig(reference, "content")), 2)
	c.same("DocumentReference.content.attachment.data", attachment(reference, "image/png"), base64.StdEncoding.EncodeToString(image))
	return nil
}

func pictureSystem(kind string) any {
	if kind == "icvp" {
		return pictureSystemOfICVP
	}
	return pictureSystems[0]
}

// attachment gives the data of the attachment of a type; nil where there is none.
func attachment(reference any, contentType string) any {
	contents, _ := dig(reference, "content").([]any)
	for _, content := range contents {
		if dig(content, "attachment", "contentType") == contentType {
			return dig(content, "attachment", "data")
		}
	}
	return nil
}
