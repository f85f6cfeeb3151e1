package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/cmd/ddcc/examples"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
)

// demoDose is one dose and the files the demo left of it.
type demoDose struct {
	document
	files kept
}

// cardName is the file with the card of both doses.
const cardName = "card.pdf"

// demoFormats are those that can say a COVID-19 vaccination, beside WHO's own.
var demoFormats = []string{formatDCC, formatSHC, formatVDSNC}

func (d *demo) issueBatch() error {
	hcid := make([]byte, 5)
	_, _ = rand.Read(hcid) // crypto/rand.Read never fails (Go 1.24 and later)
	sent := time.Now()
	a, err := d.issuer.post(d.ctx, "/ddcc/submitHealthEvent"+formatQuery(demoFormats), examples.TwoDoseBatch(sent, "DEMO-"+hex.EncodeToString(hcid)))
	if err != nil {
		return err
	}
	took := time.Since(sent)
	var response batchResponse
	if err := json.Unmarshal(a.body, &response); err != nil || len(response.Entry) == 0 {
		return fmt.Errorf("the gateway answered %d:\n%s", a.status, a.body)
	}
	d.say("3. Posted a batch of %d vaccinations of one specimen person: answered in %s", len(response.Entry), took.Round(time.Millisecond))
	for i, entry := range response.Entry {
		if entry.Resource == nil {
			return fmt.Errorf("dose %d was refused with %s:\n%s", i+1, entry.Response.Status, entry.Response.Outcome)
		}
		if err := d.keepDose(i+1, entry); err != nil {
			return err
		}
	}
	return nil
}

// keepDose writes what belongs to one dose and shows it.
func (d *demo) keepDose(n int, entry batchEntry) error {
	doc, err := readDocument(entry.Resource)
	if err != nil {
		return err
	}
	if want := 1 + len(demoFormats); len(doc.References) != want {
		return fmt.Errorf("dose %d: the document has %d QR codes, want %d:\n%s", n, len(doc.References), want, entry.Response.Outcome)
	}
	files, err := keepDocument(entry.Resource, doc, func(format, extension string) string {
		return d.file(doseFile(n, format, extension))
	})
	if err != nil {
		return err
	}
	d.doses = append(d.doses, demoDose{doc, files})
	d.say("   dose %d: %s\n     document %s, FHIR R4 JSON with a detached JWS, %d bytes", n, entry.Response.Status, doc.ID, len(entry.Resource))
	return d.showCodes(n, doc)
}

// doseFile names a file of a dose; WHO's own text and picture go without their format.
func doseFile(n int, format, extension string) string {
	switch {
	case format == formatWHO && extension == "txt":
		return fmt.Sprintf("dose-%d.hc1", n)
	case format == formatWHO || format == "":
		return fmt.Sprintf("dose-%d.%s", n, extension)
	default:
		return fmt.Sprintf("dose-%d.%s.%s", n, format, extension)
	}
}

// envelopes say in what each format is wrapped.
var envelopes = map[string]string{
	formatWHO: "WHO DDCC, HC1 (CWT in COSE_Sign1, ES256)", formatDCC: "EU DCC, HC1",
	formatSHC: "SMART Health Card, JWS", formatVDSNC: "ICAO VDS-NC, signed JSON",
}

// showCodes has a line for each certificate, and on a terminal the first QR code.
func (d *demo) showCodes(n int, doc document) error {
	for i, reference := range doc.References {
		drawn, err := symbol.For(reference.Text)
		if err != nil {
			return err
		}
		d.say("     %-5s  %-41s  %4d characters, QR version %d level %s", reference.Format, envelopes[reference.Format],
			len(reference.Text), drawn.Version, drawn.Level)
		if n == 1 && i == 0 {
			defer d.say("\n%s", drawn.Terminal())
		}
	}
	return nil
}

// fetchCard gets the card of the folder that both doses are in.
func (d *demo) fetchCard() error {
	begun := time.Now()
	pdf, err := d.issuer.card(d.ctx, d.doses[0].ID, "en")
	if err != nil {
		return err
	}
	d.say("4. Fetched the holder's card: %s, both doses and all their QR codes, %d bytes (%s)", cardName, len(pdf), time.Since(begun).Round(time.Millisecond))
	return os.WriteFile(d.file(cardName), pdf, 0o600)
}

func (d *demo) fetchKeys() error {
	for _, name := range []string{"jwks.json", "trustlist.json"} {
		raw, err := d.issuer.fetch(d.ctx, "/trust/"+name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(d.file(name), raw, 0o600); err != nil {
			return err
		}
	}
	d.say("5. Fetched the published keys: jwks.json, trustlist.json")
	return nil
}

// verifyAll checks every text, every picture and the documents with the fetched list alone.
func (d *demo) verifyAll() error {
	d.say("6. Verifying offline, with nothing but trustlist.json:")
	for n, dose := range d.doses {
		for i, reference := range dose.References {
			if err := d.verify(fmt.Sprintf("dose %d %s, text and picture", n+1, reference.Format), dose.files.texts[i], dose.files.pictures[i]); err != nil {
				return err
			}
		}
		if err := d.verify(fmt.Sprintf("dose %d document", n+1), dose.files.document); err != nil {
			return err
		}
	}
	return nil
}

// verify checks files that say the same.
func (d *demo) verify(what string, files ...string) error {
	begun := time.Now()
	for _, file := range files {
		result, err := verifyCmd{trustFlags: trustFlags{Trust: d.file("trustlist.json")}, Certificate: file}.check(d.streams)
		if err != nil {
			return err
		}
		if !result.Valid {
			d.say("   %s: %s %s", file, result.Reason, result.Detail)
			return errNegative
		}
	}
	d.say("   %-32s verified (%s)", what, time.Since(begun).Round(100*time.Microsecond))
	return nil
}

// keep leaves the processes running until the user stops them or one ends.
func (d *demo) keep() error {
	c := fmt.Sprintf("curl --cacert %s", d.install.Path("tls", "ca.pem"))
	auth := fmt.Sprintf("--cert %s --key %s", d.install.Path("tls", "issuer.pem"), d.install.Path("tls", "issuer.key"))
	if err := os.WriteFile(d.file("batch.json"), examples.TwoDoseBatch(time.Now(), "TRY-IT-0001"), 0o600); err != nil {
		return err
	}
	d.say(`
Running. Try:
  %[1]s %[3]s/ddcc/metadata
  %[1]s %[3]s/trust/trustlist.json
  %[1]s %[2]s -H 'Content-Type: application/fhir+json' --data-binary @%[4]s %[3]s/ddcc/submitHealthEvent/\$validate
  %[1]s %[2]s -H 'Content-Type: application/fhir+json' --data-binary @%[4]s '%[3]s/ddcc/submitHealthEvent?format=dcc&format=shc&format=vdsnc'
  %[1]s %[2]s -o card.pdf '%[3]s/ddcc/Bundle/%[5]s/$card?language=ar'
  %[1]s %[2]s -H 'Content-Type: application/fhir+json' -d '%[6]s' '%[3]s/ddcc/Bundle/%[5]s/$revokeHealthCertificate'
  %[1]s -H 'Content-Type: application/json' -d '{"certificate":"%[5]s","birthDate":"%[7]s"}' %[3]s/certificates/status
Ctrl-C stops both.`, c, auth, d.issuer.base, d.file("batch.json"), d.doses[0].ID,
		`{"resourceType":"Parameters","parameter":[{"name":"reason","valueCode":"holder-request"}]}`, exampleBirthDate)
	select {
	case <-d.ctx.Done():
		return nil
	case <-d.gateway.Done:
		return fmt.Errorf("the gateway ended: %w", d.gateway.Err)
	case <-d.signer.Done:
		return fmt.Errorf("the signer ended: %w", d.signer.Err)
	}
}
