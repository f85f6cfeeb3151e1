package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"
	model "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// metadata is the CapabilityStatement: what a DDCC generator offers here
// (DDCC IG, CapabilityStatement WHO.DDCC.Generator).
func (h handler) metadata(c *gin.Context) {
	body, err := capability(h.Version).MarshalJSON()
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Cache-Control", "public, max-age=3600")
	c.Data(http.StatusOK, fhirJSONType, body)
}

// released is the date of the statement's content; it changes with the routes.
const released = "2026-11-21"

func capability(version string) model.CapabilityStatement {
	operation := func(name string) []model.CapabilityStatementRestResourceOperation {
		definition := fhir.Canonical{Type: "OperationDefinition", Name: name}.URL()
		return []model.CapabilityStatementRestResourceOperation{
			{Name: "generateHealthCertificate", Definition: definition},
			{Name: "validate", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate"},
		}
	}
	read := []model.CapabilityStatementRestResourceInteraction{{Code: model.TypeRestfulInteractionRead}}
	return model.CapabilityStatement{
		Status: model.PublicationStatusActive, Date: released, Kind: model.CapabilityStatementKindInstance,
		FhirVersion: model.FHIRVersion4_0_1, Format: []string{"application/fhir+json", "json"},
		Instantiates: []string{fhir.Canonical{Type: "CapabilityStatement", Name: "WHO.DDCC.Generator"}.URL()},
		Software:     &model.CapabilityStatementSoftware{Name: "Trusted-party certificate gateway", Version: &version},
		Implementation: &model.CapabilityStatementImplementation{
			Description: "Issues WHO DDCC vaccination and test certificates from health events",
		},
		Rest: []model.CapabilityStatementRest{{
			Mode: model.RestfulCapabilityModeServer,
			Security: &model.CapabilityStatementRestSecurity{
				Description: ptr("Mutual TLS: the client certificate names a registered issuer. Documents, QR codes and folders are shown to the issuer they were issued for."),
			},
			Interaction: []model.CapabilityStatementRestInteraction{{
				Code: model.SystemRestfulInteractionBatch, Documentation: ptr("POST /ddcc/submitHealthEvent"),
			}},
			Resource: []model.CapabilityStatementRestResource{
				{Type: model.ResourceTypeQuestionnaireResponse, Operation: operation("DDCCQuestionnaireResponsegenerateHealthCertificate")},
				{Type: model.ResourceTypeBundle, Interaction: read, Operation: operation("DDCCQuestionnaireResponsegenerateHealthCertificate")},
				{Type: model.ResourceTypeList, Interaction: read, Documentation: ptr("The folder of a Health Certificate ID")},
				{Type: model.ResourceTypeDocumentReference, Operation: []model.CapabilityStatementRestResourceOperation{
					{Name: "getQRCode", Definition: "urn:ddcc-gateway:operation:getQRCode", Documentation: ptr("GET, the QR code as image/png")},
				}},
			},
		}},
	}
}

func ptr(s string) *string { return &s }
