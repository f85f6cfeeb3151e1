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

// The operations of the guide, by their OperationDefinitions. It publishes them under the
// type QuestionnaireResponse alone; here they exist for Bundle, too.
var (
	opGenerate = guideOperation("generateHealthCertificate", "")
	opFolder   = guideOperation("generateHealthFolder", "Any number of events of one person, all or none")
	opRevoke   = guideOperation("revokeHealthCertificate", "For ever, in all formats; with the parameter reason")
	opValidate = capabilityOperation{Name: "validate", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
)

type capabilityOperation = model.CapabilityStatementRestResourceOperation

func guideOperation(name, documentation string) capabilityOperation {
	definition := fhir.Canonical{Type: "OperationDefinition", Name: "DDCCQuestionnaireResponse" + name}.URL()
	return operationOf(name, definition, documentation)
}

// ownOperation is one that the guide does not have.
func ownOperation(name, documentation string) capabilityOperation {
	return operationOf(name, "urn:ddcc-gateway:operation:"+name, documentation)
}

func operationOf(name, definition, documentation string) capabilityOperation {
	o := capabilityOperation{Name: name, Definition: definition}
	if documentation != "" {
		o.Documentation = &documentation
	}
	return o
}

func capability(version string) model.CapabilityStatement {
	read := []model.CapabilityStatementRestResourceInteraction{{Code: model.TypeRestfulInteractionRead}}
	return model.CapabilityStatement{
		Status: model.PublicationStatusActive, Date: released, Kind: model.CapabilityStatementKindInstance,
		FhirVersion: model.FHIRVersion4_0_1, Format: []string{"application/fhir+json", "json"},
		Instantiates: []string{fhir.Canonical{Type: "CapabilityStatement", Name: "WHO.DDCC.Generator"}.URL()},
		Software:     &model.CapabilityStatementSoftware{Name: "Trusted-party certificate gateway", Version: &version},
		Implementation: &model.CapabilityStatementImplementation{
			Description: "Issues WHO DDCC vaccination and test certificates from health events, and beside them EU DCC, SMART Health Cards, ICAO VDS-NC and WHO ICVP",
		},
		Rest: []model.CapabilityStatementRest{{
			Mode: model.RestfulCapabilityModeServer,
			Security: &model.CapabilityStatementRestSecurity{
				Description: ptr("Mutual TLS: the client certificate names a registered issuer. Documents, QR codes and folders are shown to the issuer they were issued for."),
			},
			Interaction: []model.CapabilityStatementRestInteraction{{
				Code: model.SystemRestfulInteractionBatch, Documentation: ptr("POST /ddcc/submitHealthEvent"),
			}},
			Operation: []capabilityOperation{
				ownOperation("convert", "A certificate of anybody, verified, read and issued anew; for issuers with that right"),
				ownOperation("revokeByKey", "What a key signed, a page at a time; for issuers with that right"),
				ownOperation("withdraw-health-link", "A SMART Health Link leads nowhere any more; an option of the installation"),
			},
			Resource: []model.CapabilityStatementRestResource{
				{Type: model.ResourceTypeQuestionnaireResponse, Operation: []capabilityOperation{opGenerate, opRevoke, opValidate}},
				{Type: model.ResourceTypeBundle, Interaction: read, Operation: []capabilityOperation{
					opGenerate, opFolder, opRevoke, opValidate, ownOperation("card", "GET on a document, the holder's card as application/pdf"),
					ownOperation("health-link", "On a document, a SMART Health Link; an option of the installation"),
				}},
				{Type: model.ResourceTypeList, Interaction: read, Documentation: ptr("The folder of a Health Certificate ID")},
				{Type: model.ResourceTypeDocumentReference, Operation: []capabilityOperation{
					ownOperation("getQRCode", "GET, the QR code as image/png or application/pdf"),
					ownOperation("wallet", "GET, a file for a phone's wallet; an option of the installation"),
				}},
			},
		}},
	}
}

func ptr(s string) *string { return &s }
