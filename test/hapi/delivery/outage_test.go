package delivery_test

import (
	"context"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery"
	"github.com/trustedparty/ddcc-gateway/issuance/delivery/deliverytest"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
)

// TestHAPIOutages puts a failing peer in front of HAPI, which fails in every way while
// certificates are issued and one is revoked: in the end each is there once, in order.
func TestHAPIOutages(t *testing.T) {
	t.Parallel()
	origin, err := url.Parse(hapi.Start(t))
	if err != nil {
		t.Fatal(err)
	}
	origin.Path = ""
	peer := clienttest.NewPeerOf(t, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }})
	through, err := client.New(client.Options{
		Base: peer.URL(), Transport: peer.Transport(), Attempts: 1, MaxBody: 1 << 20,
		Timeout: 5 * time.Second, // longer than HAPI needs on a busy machine
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newSystem(t, 0)
	bell := delivery.NewBell(func() string { return "hapi" })
	clock := deliverytest.Clock()
	s.Service = deliverytest.Registry(t, t.TempDir(), bell, s.authority, clock)
	s.work(t, bell, clock, through)
	person := hcid(0)
	var issued []issuance.Issued
	for n, mode := range clienttest.Modes() {
		peer.Fail(mode, 1)
		issued = append(issued, deliverytest.Issue(t, s.Service, person, n+1))
		time.Sleep(100 * time.Millisecond)
	}
	if err := s.Revoke(context.Background(), deliverytest.Clinic, issued[3].ID, issuance.ReasonError); err != nil {
		t.Fatal(err)
	}
	s.settled(t)
	if n := peer.Left(); n != 0 {
		t.Logf("%d failures were not met", n)
	}
	peer.Mend()
	var want []string
	for n, out := range issued {
		if n == 3 {
			continue
		}
		want = append(want, s.registeredOf(t, out)...)
		r, err := s.hapi.Read(t.Context(), "Bundle", out.ID)
		if err != nil || r.VersionID != "2" || !registration.Stored(r.Raw) {
			t.Errorf("document in version %q, %v", r.VersionID, err)
		}
	}
	if got := s.folder(t, person); !slices.Equal(got, want) {
		t.Errorf("folder\n%q\nwant\n%q", got, want)
	}
}
