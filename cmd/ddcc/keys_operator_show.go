package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
)

// describe shows what an operation will do, from the certificates themselves and not from
// what anybody says about them.
func describe(w io.Writer, op signing.Operation, keys []signing.KeyStatus) {
	fmt.Fprintf(w, "Operation %s: %s\n  proposed by %s at %s, %s until %s\n", op.ID, op.Request.Kind, op.Proposer, moment(op.ProposedAt), op.State, moment(op.ExpiresAt))
	req := op.Request
	switch req.Kind {
	case signing.OperationRegister:
		for _, reg := range req.Registrations {
			describeKey(w, reg)
		}
	case signing.OperationCRL:
		describeCRL(w, req.CRL)
	case signing.OperationResume:
		fmt.Fprintln(w, "\n  ends the emergency stop: signing begins again")
	default:
		describeChange(w, req, keys)
	}
}

func describeKey(w io.Writer, reg signing.Registration) {
	fmt.Fprintf(w, "\n  %s: key %s:%d\n", reg.Usage, reg.Label, reg.Version)
	describeCertificate(w, "certificate", reg.Certificate)
	describeCertificate(w, "issued by", reg.Issuer)
	fmt.Fprintf(w, "    published   %s\n    signs from  %s\n", planned(reg.PublishAt, "when approved"), planned(reg.ActivateAt, "when the lead time allows"))
	if reg.RetireAt != nil {
		fmt.Fprintf(w, "    retired     %s\n", moment(*reg.RetireAt))
	}
}

func planned(at time.Time, otherwise string) string {
	if at.IsZero() {
		return otherwise
	}
	return moment(at)
}

func describeCertificate(w io.Writer, what string, der []byte) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		fmt.Fprintf(w, "    %-11s NOT A CERTIFICATE\n", what)
		return
	}
	// A name is somebody's text: quoted, it cannot write on the terminal.
	fmt.Fprintf(w, "    %-11s %q, %s to %s\n    %-11s %s\n", what, certificate.Subject.String(),
		moment(certificate.NotBefore), moment(certificate.NotAfter), "SHA-256", fingerprint(der))
}

// fingerprint is SHA-256 in groups of four digits, for reading aloud.
func fingerprint(der []byte) string {
	text := fmt.Sprintf("%x", sha256.Sum256(der))
	var groups []string
	for ; len(text) > 0; text = text[4:] {
		groups = append(groups, text[:4])
	}
	return strings.Join(groups, " ")
}

func describeCRL(w io.Writer, der []byte) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		fmt.Fprintln(w, "\n  NOT A REVOCATION LIST")
		return
	}
	fmt.Fprintf(w, "\n  revocation list %s of %q\n    SHA-256     %s\n    issued      %s, next by %s\n", list.Number, list.Issuer.String(), fingerprint(der), moment(list.ThisUpdate), moment(list.NextUpdate))
	for _, e := range list.RevokedCertificateEntries {
		fmt.Fprintf(w, "    revokes     serial %x\n", e.SerialNumber)
	}
}

func describeChange(w io.Writer, req signing.OperationRequest, keys []signing.KeyStatus) {
	when := "when approved"
	if req.At != nil {
		when = moment(*req.At)
	}
	switch req.Kind {
	case signing.OperationActivate:
		fmt.Fprintf(w, "\n  begins to sign %s\n", when)
	case signing.OperationRetire:
		fmt.Fprintf(w, "\n  stops to sign %s\n", when)
	case signing.OperationRevoke:
		fmt.Fprintf(w, "\n  REVOKED for good when approved: %s\n  Everybody who holds a certificate of this key needs a new one.\n", req.Reason)
	}
	if req.Force {
		fmt.Fprintln(w, "  FORCED: even if then no key signs for the usage")
	}
	for _, k := range keys {
		if bytes.Equal(k.KID, req.KID) {
			fmt.Fprintf(w, "\n  key %x is %s\n", k.KID, k.State)
			describeKey(w, k.Registration)
			return
		}
	}
	fmt.Fprintf(w, "\n  key %x is NOT ON THE REGISTER\n", req.KID)
}
