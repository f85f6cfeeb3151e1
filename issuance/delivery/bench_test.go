package delivery

import (
	"fmt"
	"testing"

	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
)

// BenchmarkDelivery is the cost of one delivery into a new folder, with the server in the same
// process: three calls more than into one that is there.
func BenchmarkDelivery(b *testing.B) {
	s := newSystem(b)
	n := 0
	for range b.N { // not Loop: what is measured begins when all are issued
		n++
		deliverytest.Issue(b, s.Service, fmt.Sprint("HCID-", n), 1)
	}
	b.ResetTimer()
	run(b, s.worker(b))
	settled(b, s.Service)
}
