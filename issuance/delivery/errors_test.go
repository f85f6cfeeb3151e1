package delivery

import (
	"context"
	"errors"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// What fhir/client says.
var (
	errFHIRRule   = fault.New(fault.Rule, "fhir-rule", "The FHIR server refuses the resource: it breaks a rule.")
	errFHIRServer = fault.New(fault.Upstream, "fhir-server", "The FHIR server failed to process the request.")
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want verdict
	}{
		{nil, delivered},
		{errOvertaken, overtaken},
		{own(errFHIRRule), hindered},
		{own(context.DeadlineExceeded), hindered},
		{errContent, refused},
		{errFHIRRule, refused},
		{fault.New(fault.Malformed, "fhir-malformed", ""), refused},
		{fault.New(fault.TooLarge, "fhir-too-large", ""), refused},
		{fault.New(fault.Upstream, "fhir-refused", ""), refused},
		{fault.New(fault.Internal, "registration-document", ""), refused},
		{fault.New(fault.Unavailable, "fhir-unavailable", ""), away},
		{fault.New(fault.Unavailable, "fhir-certificate", ""), away},
		{fault.New(fault.Timeout, "fhir-timeout", ""), away},
		{fault.New(fault.Upstream, "fhir-credentials", ""), away},
		{fault.New(fault.Upstream, "fhir-redirect", ""), away},
		{fault.New(fault.Upstream, "fhir-unsupported", ""), away},
		{fault.New(fault.Upstream, "fhir-answer", ""), strange},
		{fault.New(fault.Upstream, "folder-unusable", ""), strange},
		{fault.New(fault.Upstream, "registration-unusable", ""), strange},
		{errFHIRServer, strange},
		{errContended, strange},
		{fault.New(fault.NotFound, "fhir-not-found", ""), strange},
		{errors.New("unheard of"), strange},
	} {
		if got := judge(tt.err); got != tt.want {
			t.Errorf("%v is %s, want %s", tt.err, got, tt.want)
		}
	}
}
