package httpapi_test

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

func failedLegs() *orchestration.Record {
	_, legs := orchestration.With(context.Background())
	legs.Add(orchestration.Leg{Name: "store", Group: "fhir", Host: "fhir.example", Method: "POST", Path: "/", Status: 503})
	return legs
}
