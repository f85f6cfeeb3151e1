package service

import (
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// vdsncEnvelope is a VDS-NC seal with the certificate that verifies it.
type vdsncEnvelope struct{ canonical, certificate []byte }

func (e vdsncEnvelope) toBeSigned() []byte { return e.canonical }

func (e vdsncEnvelope) text(signature keystore.Signature) (string, error) {
	return vdsnc.Assemble(e.canonical, e.certificate, signature[:])
}

func (vdsncEnvelope) read(text string) (lint.Reading, error) {
	m, err := reader.Decode(text)
	return lint.Reading{VDSNC: m}, err
}

// buildVDSNC sets the header of a seal. The state is the policy's: no table of codes makes
// one out of the country.
func buildVDSNC(s *Service, p prepared, c signing.Claims) (envelope, error) {
	kind := vdsnc.TypeVaccination
	if c.VDSNC.Times != nil {
		kind = vdsnc.TypeTest
	}
	canonical, err := vdsnc.Data{
		Header:  vdsnc.Header{Type: kind, Version: vdsnc.Version, State: s.policy.ICAOState()},
		Message: *c.VDSNC,
	}.Canonical()
	if err != nil {
		return nil, err
	}
	return vdsncEnvelope{canonical: canonical, certificate: p.key.Certificate.Raw}, nil
}
