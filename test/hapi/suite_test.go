package hapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

func open(t *testing.T, base string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{
		Base: base, AllowHTTP: true, Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: 30 * time.Second, Attempts: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestHAPIPassesTheSuite(t *testing.T) {
	t.Parallel()
	base := hapi.Start(t)
	clienttest.Suite(t, func(t *testing.T) *client.Client { return open(t, base) }, clienttest.DeleteIfMatch, clienttest.EscapedSeparator)
}
