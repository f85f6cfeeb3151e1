package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestReadOnlyServersGetNothing: a server of structure maps is no place for certificates.
func TestReadOnlyServersGetNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "servers.json")
	file := `{"servers":[{"name":"maps","base":"http://127.0.0.1:1/fhir","readOnly":true},{"name":"national","base":"http://127.0.0.1:2/fhir"}]}`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := fhirSettings{Servers: path, Timeout: time.Second, Poll: time.Second, Workers: 1}
	if names, err := s.names(); err != nil || !slices.Equal(names, []string{"national"}) {
		t.Errorf("%v %v", names, err)
	}
	if err := s.validate(false); err != nil {
		t.Error(err)
	}
	s.Endpoint = "maps"
	if s.validate(false) == nil {
		t.Error("certificates may be delivered to a read-only server")
	}
	s.Endpoint, s.Embedded = "", true
	if names, err := s.names(); err != nil || !slices.Equal(names, []string{"national", embeddedServer}) {
		t.Errorf("%v %v", names, err)
	}
	if s.validate(true) == nil {
		t.Error("production takes an embedded server")
	}
}
