package delivery

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// BenchmarkDelivery is what one delivery costs the gateway, with a server that answers at once.
func BenchmarkDelivery(b *testing.B) {
	s := newSystem(b)
	for n := range b.N { // not Loop: what is measured begins when all are issued
		deliverytest.Issue(b, s.Service, fmt.Sprint("HCID-", n), 1)
	}
	s.bell.take()
	w := s.worker(b, func(o *Options) { o.Servers, o.Poll = servers("national", yielding{}), time.Hour })
	b.ResetTimer()
	run(b, w)
	settled(b, s.Service)
}

// yielding takes everything.
type yielding struct{}

func (yielding) Find(context.Context, string, url.Values) ([]client.Resource, error) {
	return []client.Resource{{Type: "List", ID: "1", VersionID: "1", Raw: []byte(`{"resourceType":"List"}`)}}, nil
}

func (yielding) Read(_ context.Context, typ, id string) (client.Resource, error) {
	return client.Resource{Type: typ, ID: id, VersionID: "1", Raw: []byte(`{"resourceType":"Bundle","type":"collection"}`)}, nil
}

func (yielding) Update(context.Context, string, string, []byte, string) error { return nil }

func (yielding) Transaction(context.Context, []byte) ([]client.EntryResponse, error) { return nil, nil }
