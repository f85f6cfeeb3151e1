package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

const fhirJSONType = "application/fhir+json; charset=utf-8"

// Render writes an error as an OperationOutcome with the status of its kind.
func Render(c *gin.Context, err error) {
	f := httpx.Public(err)
	httpx.SetErrorHeaders(c, f)
	c.Data(httpx.Status(f.Kind), fhirJSONType, fhir.OutcomeOf(f))
	c.Abort()
}

// outcome writes the findings of a dry run.
func outcome(c *gin.Context, issues []fault.Issue) {
	if len(issues) == 0 {
		issues = []fault.Issue{{Severity: fault.SeverityInformation, Rule: fhir.RuleValid, Detail: "The health event can be certified."}}
	}
	c.Data(http.StatusOK, fhirJSONType, fhir.Outcome(issues))
}
