package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFHIRCallsAreNamedWithoutIDs: what the record of transactions says of a call.
func TestFHIRCallsAreNamedWithoutIDs(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"POST https://fhir.example/fhir":                        "transaction /",
		"POST https://fhir.example/fhir/":                       "transaction /",
		"POST https://fhir.example/fhir/List/_search":           "search List /List/_search",
		"GET https://fhir.example/fhir/Bundle/SECRET":           "read Bundle /Bundle/{id}",
		"GET https://fhir.example/fhir/List/SECRET?name=SECRET": "read List /List/{id}",
		"PUT https://fhir.example/fhir/Bundle/SECRET":           "update Bundle /Bundle/{id}",
		"GET https://fhir.example/fhir/secret/SECRET":           "other /",
		"GET https://elsewhere.example/SECRET":                  "other /",
		"DELETE https://fhir.example/fhir/Bundle/SECRET":        "other /Bundle",
	} {
		method, address, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for _, base := range []string{"https://fhir.example/fhir", "https://fhir.example/fhir/"} {
			if got := fhirCall(base)(r); got.Name+" "+got.Path != want || strings.Contains(got.Name+got.Path, "SECRET") {
				t.Errorf("%s is named %q, want %q", request, got.Name+" "+got.Path, want)
			}
		}
	}
}

func TestServerInUseComesFirst(t *testing.T) {
	t.Parallel()
	list := filepath.Join(t.TempDir(), "servers.json")
	if err := os.WriteFile(list, []byte(`{"servers":[{"name":"a"},{"name":"b"},{"name":"c"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for endpoint, want := range map[string][]string{"": {"a", "b", "c"}, "b": {"b", "a", "c"}} {
		if got, err := (fhirSettings{Servers: list, Endpoint: endpoint}).names(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
	if got, err := (fhirSettings{}).names(); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
}
