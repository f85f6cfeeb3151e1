package server_test

import (
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// TestSuite: the embedded server is a FHIR server like any other to the gateway's client.
func TestSuite(t *testing.T) {
	t.Parallel()
	clienttest.Suite(t, func(t *testing.T) *client.Client {
		s := open(t, func(o *server.Options) { o.Clock = time.Now })
		c, err := client.New(client.Options{Base: server.EmbeddedBase, InProcess: true, Transport: s.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}
