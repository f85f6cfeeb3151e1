package dgcgateway

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Columns of the gateway's database, in characters of base64.
const (
	maxRawData   = 4096
	maxSignature = 6000
)

var errUpload = fault.New(fault.Rule, "gateway-upload", "The message is not one that may be sent to the national gateway; nothing was sent.")

// findings collects every rule that a message breaks.
type findings []fault.Issue

func (f *findings) add(broken bool, path, rule, detail, fix string) {
	if broken {
		*f = append(*f, fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
	}
}

// check refuses what the gateway would refuse, and what it would take although nobody
// could use it. With upload, the DSC itself is linted; an old one must be deletable.
func (c *Client) check(dsc *x509.Certificate, message []byte, upload bool) error {
	var found findings
	if dsc == nil || len(dsc.Raw) == 0 {
		found.add(true, "certificate", "certificate", "There is no certificate.", "Name the certificate that the message is about.")
		return errUpload.With(found...)
	}
	countries := dsc.Subject.Country
	found.add(len(countries) != 1 || countries[0] != c.config.Country, "certificate", "country",
		"The subject must name exactly one country, the configured one.", "Make a certificate for the country of the authority.")
	found.add(base64.StdEncoding.EncodedLen(len(dsc.Raw)) > maxRawData, "certificate", "size",
		"The gateway stores at most 4096 characters of base64.", "Leave out extensions that nobody needs.")
	if upload {
		c.lint(dsc, &found)
	}
	c.checkMessage(dsc, message, &found)
	if len(found) > 0 {
		return errUpload.With(found...)
	}
	return nil
}

// lint applies the certificate governance of the GDHCN to a DSC.
func (c *Client) lint(dsc *x509.Certificate, found *findings) {
	found.add(!c.config.Now().Before(dsc.NotAfter), "certificate", "validity", "The certificate has expired.", "Upload its successor.")
	candidates := c.ownCSCAs(dsc)
	found.add(len(candidates) == 0, "certificate", "issuer", "None of the configured CSCAs issued the certificate.", "Configure the CSCA that did.")
	var refusal *trust.Refusal
	for _, csca := range candidates {
		_, refusals := trust.NewList([]trust.Entry{{KID: trust.KID(dsc), DSC: dsc, CSCA: csca}}, trust.Options{})
		if len(refusals) == 0 {
			found.add(dsc.NotAfter.After(csca.NotAfter), "certificate", "validity",
				"The certificate ends after its CSCA.", "Make it end with the CSCA at the latest.")
			return
		}
		refusal = &refusals[0]
	}
	if refusal != nil {
		found.add(true, "certificate", refusal.Rule, "The certificate is refused: "+refusal.Detail+".", "Make a certificate that follows docs/certificate-specification.md.")
	}
}

// checkMessage holds the CMS against the DSC.
func (c *Client) checkMessage(dsc *x509.Certificate, message []byte, found *findings) {
	signed, err := cms.Verify(message)
	if err != nil {
		found.add(true, "message", "cms", "The message is not a CMS message with its content and one valid signature.", "Let the signer make it again.")
		return
	}
	upload, now := signed.Signer, c.config.Now()
	found.add(!bytes.Equal(signed.Content, dsc.Raw), "message", "content", "The content is not the certificate.", "Let the signer sign this certificate.")
	found.add(signed.Certificates != 1, "message", "certificates", "The message must carry one certificate, that of its signer.", "Let the signer make it again.")
	found.add(len(upload.Subject.Country) != 1 || upload.Subject.Country[0] != c.config.Country, "message", "signer-country",
		"The upload certificate is not of the configured country.", "Configure the upload certificate of the authority.")
	found.add(upload.KeyUsage&x509.KeyUsageDigitalSignature == 0, "message", "signer-usage",
		"The key usage of the upload certificate does not allow signatures.", "Have an upload certificate with digitalSignature registered.")
	found.add(now.Before(upload.NotBefore) || now.After(upload.NotAfter), "message", "signer-validity",
		"The upload certificate is not valid now.", "Have a new upload certificate registered at the gateway.")
	// The gateway stores the message without its content.
	found.add(base64.StdEncoding.EncodedLen(len(message)-len(signed.Content)) > maxSignature, "message", "size",
		"The gateway stores at most 6000 characters of base64 of the signature.", "Use a smaller upload certificate.")
}
