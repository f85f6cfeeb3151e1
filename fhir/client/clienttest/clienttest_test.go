package clienttest_test

import (
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
)

func TestStorePassesTheSuite(t *testing.T) {
	t.Parallel()
	peer := clienttest.NewPeer(t)
	clienttest.Suite(t, func(t *testing.T) *client.Client {
		c, err := client.New(client.Options{Base: peer.URL(), Transport: peer.Transport(), Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}
