package mediator

import (
	"context"
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// GenerateFolderFromCCDA is GenerateFolder for a C-CDA document: each vaccination that was
// given is certified, all or none. What else the document tells is not looked at, and what of
// its vaccinations was not kept is among the warnings. Errors: as of ccda.Convert and
// GenerateFolder; paths of findings are those of the vaccinations as FHIR, which
// ConvertCCDA shows.
func (m *Mediator) GenerateFolderFromCCDA(ctx context.Context, by IssuerPolicy, raw []byte, o Options) (Folder, error) {
	found, err := ccda.Convert(raw, ccda.Options{Vaccinations: true, IDKey: m.idKey})
	if err != nil {
		return Folder{}, err
	}
	out, err := m.GenerateFolder(ctx, by, found.Bundle, o)
	out.LeftOut = slices.Concat(out.LeftOut, found.Issues)
	return out, err
}

// ConvertCCDA gives a C-CDA document as a FHIR R4 Bundle, and what was not kept. Nothing is
// certified or stored. It is charged to the issuer's rate. Errors: as of ccda.Convert.
func (m *Mediator) ConvertCCDA(by IssuerPolicy, raw []byte, kind ccda.BundleType) ([]byte, []fault.Issue, error) {
	if err := m.admit(by, 1); err != nil {
		return nil, nil, err
	}
	out, err := ccda.Convert(raw, ccda.Options{Type: kind, IDKey: m.idKey})
	return out.Bundle, out.Issues, err
}
