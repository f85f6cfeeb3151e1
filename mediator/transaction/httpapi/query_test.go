package httpapi

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// FuzzQuery: a query is read or refused with a reason; what is read has bounds.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "client=demo-clinic&status=5xx&_count=100", "since=2026-11-21T00:00:00Z&until=2026-11-22T00:00:00%2B01:00",
		"certificate=018f3b5e-7c1a-7b2d-8e4f-0123456789ab", "openhim=507f1f77bcf86cd799439011&route=/ddcc/:id/$card", "a=%zz", "status=099&status=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := readQuery(raw, searchParameters)
		if err != nil {
			if fault.KindOf(err) != fault.Malformed {
				t.Error(err)
			}
			return
		}
		if q.count < 1 || q.count > 100 || len(q.cursor) > 64 || len(q.filter.Client) > 64 || len(q.filter.Route) > 128 ||
			q.filter.StatusFrom > q.filter.StatusTo || q.filter.StatusTo > 599 {
			t.Errorf("%+v", q)
		}
	})
}
