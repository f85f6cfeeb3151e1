package dgcgateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway/gatewaytest"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// waits records the pauses between attempts instead of taking them.
type waits struct {
	mu  sync.Mutex
	all []time.Duration
}

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, d)
	return ctx.Err()
}

// set is a gateway, a country and a client of it.
type set struct {
	server  *gatewaytest.Server
	country gatewaytest.Country
	waits   *waits
	config  dgcgateway.Config
}

func newSet(t testing.TB) set {
	t.Helper()
	server := gatewaytest.New(t)
	s := set{server: server, country: server.Onboard(t, "XX"), waits: &waits{}}
	s.config = dgcgateway.Config{
		URL: server.URL, Country: "XX", CSCAs: []*x509.Certificate{s.country.CSCA.Cert}, TLS: server.TLS(s.country),
		Timeout: 20 * time.Second, Now: func() time.Time { return gatewaytest.Now }, Sleep: s.waits.sleep,
	}
	return s
}

func (s set) client(t testing.TB, changes ...func(*dgcgateway.Config)) *dgcgateway.Client {
	t.Helper()
	config := s.config
	for _, change := range changes {
		change(&config)
	}
	client, err := dgcgateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestUploadAndWithdraw(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	client, dsc := s.client(t), s.country.DSC(t)
	message := s.country.Message(t, dsc)
	for _, step := range []struct {
		call  func(context.Context, *x509.Certificate, []byte) (dgcgateway.Outcome, error)
		want  dgcgateway.Outcome
		there bool
	}{
		{client.Delete, dgcgateway.Absent, false},
		{client.Upload, dgcgateway.Created, true},
		{client.Upload, dgcgateway.Present, true},
		{client.Delete, dgcgateway.Deleted, false},
		{client.Delete, dgcgateway.Absent, false},
	} {
		outcome, err := step.call(t.Context(), dsc.Cert, message)
		if err != nil || outcome != step.want || s.server.Has(dsc.Cert) != step.there {
			t.Fatalf("%s, want %s: %v", outcome, step.want, err)
		}
	}
	if s.server.Created() != 1 || len(s.waits.all) != 0 {
		t.Errorf("created %d, waits %v", s.server.Created(), s.waits.all)
	}
}

// What is uploaded comes back as a trust list that package foreign believes.
func TestTrustListIsOneThatForeignBelieves(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	client, dsc := s.client(t), s.country.DSC(t)
	if _, err := client.Upload(t.Context(), dsc.Cert, s.country.Message(t, dsc)); err != nil {
		t.Fatal(err)
	}
	raw, err := client.TrustList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := foreign.Parse(raw, foreign.Source{
		Name: "gateway", Format: foreign.FormatGateway, Fetch: client,
		Authenticity: foreign.Authenticity{Anchors: []*x509.Certificate{s.server.Anchor.Cert}, PinnedTransport: true},
	})
	if err != nil || len(snapshot.Entries) != 1 || !snapshot.Entries[0].DSC.Equal(dsc.Cert) || len(snapshot.Skipped) != 0 {
		t.Errorf("%v %+v", err, snapshot)
	}
	listed, err := client.Listed(t.Context())
	if err != nil || len(listed) != 1 || !listed[sha256.Sum256(dsc.Cert.Raw)] {
		t.Errorf("%v %v", err, listed)
	}
}

func TestUploadSurvivesFailures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults []gatewaytest.Fault
		want   dgcgateway.Outcome
		waits  []time.Duration
	}{
		"dropped before":    {[]gatewaytest.Fault{{Drop: true}, {Drop: true}}, dgcgateway.Created, []time.Duration{500 * time.Millisecond, time.Second}},
		"dropped after":     {[]gatewaytest.Fault{{DropAfter: true}}, dgcgateway.Present, []time.Duration{500 * time.Millisecond}},
		"500":               {[]gatewaytest.Fault{{Status: 500, Code: "0x003"}}, dgcgateway.Created, []time.Duration{500 * time.Millisecond}},
		"503 with a time":   {[]gatewaytest.Fault{{Status: 503, RetryAfter: "7"}}, dgcgateway.Created, []time.Duration{7 * time.Second}},
		"429 with a date":   {[]gatewaytest.Fault{{Status: 429, RetryAfter: gatewaytest.Now.Add(9 * time.Second).Format("Mon, 02 Jan 2006 15:04:05 GMT")}}, dgcgateway.Created, []time.Duration{9 * time.Second}},
		"502, 504, nothing": {[]gatewaytest.Fault{{Status: 502}, {Status: 504}, {Status: 429, RetryAfter: "soon"}}, dgcgateway.Created, []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSet(t)
			client, dsc := s.client(t), s.country.DSC(t)
			s.server.Next(test.faults...)
			outcome, err := client.Upload(t.Context(), dsc.Cert, s.country.Message(t, dsc))
			if err != nil || outcome != test.want || s.server.Created() != 1 {
				t.Fatalf("%s %v", outcome, err)
			}
			if len(s.waits.all) != len(test.waits) {
				t.Fatalf("waited %v", s.waits.all)
			}
			for i, want := range test.waits {
				if s.waits.all[i] != want {
					t.Errorf("waited %v", s.waits.all)
				}
			}
		})
	}
}

func TestGatewayErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault    gatewaytest.Fault
		kind     fault.Kind
		code     string
		requests int
	}{
		"0x002 without conflict": {gatewaytest.Fault{Status: 400, Code: "0x002"}, fault.Conflict, "gateway-conflict", 1},
		"conflict without 0x002": {gatewaytest.Fault{Status: 409, Code: "0x004"}, fault.Rule, "gateway-refused", 1},
		"conflict":               {gatewaytest.Fault{Status: 409}, fault.Conflict, "gateway-conflict", 1},
		"0x003":                  {gatewaytest.Fault{Status: 500, Code: "0x003"}, fault.Unavailable, "gateway-unavailable", 4},
		"0x004":                  {gatewaytest.Fault{Status: 400, Code: "0x004"}, fault.Rule, "gateway-refused", 1},
		"0x005":                  {gatewaytest.Fault{Status: 404, Code: "0x005"}, fault.NotFound, "gateway-not-listed", 1},
		"0x006":                  {gatewaytest.Fault{Status: 500, Code: "0x006"}, fault.Unavailable, "gateway-unavailable", 4},
		"0x007":                  {gatewaytest.Fault{Status: 400, Code: "0x007"}, fault.Rule, "gateway-refused", 1},
		"0x009":                  {gatewaytest.Fault{Status: 400, Code: "0X009"}, fault.Rule, "gateway-refused", 1},
		"0x400":                  {gatewaytest.Fault{Status: 401, Code: "0x400"}, fault.Forbidden, "gateway-client", 1},
		"0x401":                  {gatewaytest.Fault{Status: 400, Code: "0x401"}, fault.Forbidden, "gateway-client", 1},
		"0x402 client":           {gatewaytest.Fault{Status: 401, Code: "0x402"}, fault.Forbidden, "gateway-client", 1},
		"0x402 message":          {gatewaytest.Fault{Status: 400, Code: "0x402"}, fault.Rule, "gateway-refused", 1},
		"0x403":                  {gatewaytest.Fault{Status: 403, Code: "0x403"}, fault.Forbidden, "gateway-client", 1},
		"unknown code":           {gatewaytest.Fault{Status: 418, Code: "0x999"}, fault.Upstream, "gateway-answer", 1},
		"no code":                {gatewaytest.Fault{Status: 400}, fault.Rule, "gateway-refused", 1},
		"404 of a proxy":         {gatewaytest.Fault{Status: 404}, fault.NotFound, "gateway-not-listed", 1},
		"415":                    {gatewaytest.Fault{Status: 415}, fault.Upstream, "gateway-answer", 1},
		"429":                    {gatewaytest.Fault{Status: 429}, fault.TooMany, "gateway-busy", 4},
		"429 for an hour":        {gatewaytest.Fault{Status: 429, RetryAfter: "3600"}, fault.TooMany, "gateway-busy", 1},
		"500":                    {gatewaytest.Fault{Status: 500}, fault.Unavailable, "gateway-unavailable", 4},
		"200":                    {gatewaytest.Fault{Status: 200}, fault.Upstream, "gateway-answer", 1},
		"redirect":               {gatewaytest.Fault{Status: 307, Location: "/signerCertificate"}, fault.Upstream, "gateway-answer", 1},
		"redirect elsewhere":     {gatewaytest.Fault{Status: 302, Location: "https://example.org/"}, fault.Upstream, "gateway-answer", 1},
		"oversize":               {gatewaytest.Fault{Status: 400, Body: bytes.Repeat([]byte(" "), 65<<10)}, fault.Upstream, "gateway-answer", 1},
		"not JSON":               {gatewaytest.Fault{Status: 400, Body: []byte("<html>")}, fault.Rule, "gateway-refused", 1},
		"dropped":                {gatewaytest.Fault{Drop: true}, fault.Unavailable, "gateway-unavailable", 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSet(t)
			client, dsc := s.client(t), s.country.DSC(t)
			s.server.Next(test.fault, test.fault, test.fault, test.fault)
			outcome, err := client.Upload(t.Context(), dsc.Cert, s.country.Message(t, dsc))
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != test.kind || f.Code != test.code || outcome != "" {
				t.Fatalf("%q %v", outcome, err)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(f.Detail, "planned") {
				t.Errorf("text of the gateway: %v", err)
			}
			if s.server.Requests() != test.requests || s.server.Created() != 0 {
				t.Errorf("%d requests", s.server.Requests())
			}
			if test.fault.RetryAfter != "" && f.RetryAfter != time.Hour {
				t.Errorf("retry after %v", f.RetryAfter)
			}
		})
	}
}

// A proxy that knows no such path is no proof that the certificate is gone.
func TestDeleteBelievesTheGatewayAlone(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	client, dsc := s.client(t), s.country.DSC(t)
	s.server.Next(gatewaytest.Fault{Status: 404})
	if outcome, err := client.Delete(t.Context(), dsc.Cert, s.country.Message(t, dsc)); err == nil {
		t.Error(outcome)
	}
	s.server.Next(gatewaytest.Fault{Status: 404, Code: "0x006"})
	if outcome, err := client.Delete(t.Context(), dsc.Cert, s.country.Message(t, dsc)); err != nil || outcome != dgcgateway.Absent {
		t.Error(outcome, err)
	}
}

func TestSlowGateway(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	client := s.client(t, func(c *dgcgateway.Config) { c.Timeout, c.Attempts = 100*time.Millisecond, 2 })
	s.server.Next(gatewaytest.Fault{Hang: true}, gatewaytest.Fault{Hang: true})
	if _, err := client.TrustList(t.Context()); fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.TrustList(ctx); err == nil {
		t.Error("a cancelled call succeeds")
	}
}

func TestOversizeTrustList(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	client := s.client(t)
	s.server.Next(gatewaytest.Fault{Status: 200, Body: bytes.Repeat([]byte(" "), foreign.MaxBytes+1)})
	if _, err := client.TrustList(t.Context()); fault.KindOf(err) != fault.Upstream {
		t.Error(err)
	}
	for _, body := range []string{"", "{}", "[1]", `[{"rawData":7}]`} {
		s.server.Next(gatewaytest.Fault{Status: 200, Body: []byte(body)})
		if _, err := client.Listed(t.Context()); fault.KindOf(err) != fault.Upstream {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestTheGatewayMustProveItself(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	other := gatewaytest.New(t)
	foreignTLS := other.TLS(s.country)
	expired := s.server.ClientCertificate(t, "XX", gatewaytest.Now.Add(-time.Hour))
	stranger := other.ClientCertificate(t, "XX", gatewaytest.Now.Add(time.Hour))
	unregistered := s.server.ClientCertificate(t, "XX", gatewaytest.Now.Add(time.Hour))
	give := func(certificate *tls.Certificate) func(*dgcgateway.Config) {
		return func(c *dgcgateway.Config) {
			c.TLS.ClientCertificate = func() (*tls.Certificate, error) { return certificate, nil }
		}
	}
	for name, test := range map[string]struct {
		change func(*dgcgateway.Config)
		code   string
	}{
		"another pin":                       {func(c *dgcgateway.Config) { c.TLS.Pins = []pinned.Pin{{1}} }, "gateway-identity"},
		"another CA":                        {func(c *dgcgateway.Config) { c.TLS.Roots = foreignTLS.Roots }, "gateway-identity"},
		"another name":                      {func(c *dgcgateway.Config) { c.TLS.ServerName = "gateway.example.org" }, "gateway-identity"},
		"expired gateway":                   {func(c *dgcgateway.Config) { c.Now = func() time.Time { return gatewaytest.Now.AddDate(0, 7, 0) } }, "gateway-identity"},
		"expired client certificate":        {give(expired), "gateway-client"},
		"no client certificate":             {give(nil), "gateway-client"},
		"client certificate of another CA":  {give(stranger), "gateway-client"},
		"client certificate not registered": {give(unregistered), "gateway-client"},
		"client certificate refused by gateway": {func(c *dgcgateway.Config) {
			give(expired)(c)
			c.Now = func() time.Time { return gatewaytest.Now.Add(-2 * time.Hour) }
		}, "gateway-client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.client(t, test.change).TrustList(t.Context())
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != test.code {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := s.client(t).TrustList(t.Context()); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

func TestNothingElseIsSent(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	client, dsc, other := s.client(t), s.country.DSC(t), s.country.DSC(t)
	sign := func(content []byte, signer trusttest.Pair) []byte {
		raw, err := cms.Sign(content, signer.Cert, signer.Key, gatewaytest.Now)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	uploader := func(changes ...trusttest.Change) trusttest.Pair {
		return trusttest.CSCA(t, append([]trusttest.Change{func(c *x509.Certificate) {
			c.IsCA, c.MaxPathLenZero, c.KeyUsage = false, false, x509.KeyUsageDigitalSignature
		}}, changes...)...)
	}
	padding := func(size int) trusttest.Change {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: bytes.Repeat([]byte{5}, size)}}
		}
	}
	detached, err := cms.SignDetached(dsc.Cert.Raw, s.country.Upload.Cert, s.country.Upload.Key, gatewaytest.Now)
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(changes ...trusttest.Change) trusttest.Pair { return s.country.DSC(t, changes...) }
	for name, test := range map[string]struct {
		dsc     trusttest.Pair
		message []byte // nil: the right one for the certificate
		rule    string
	}{
		"no message":                         {dsc, []byte{}, "cms"},
		"broken message":                     {dsc, []byte("x"), "cms"},
		"detached":                           {dsc, detached, "cms"},
		"content is no certificate":          {dsc, sign([]byte("sign this"), s.country.Upload), "content"},
		"content is another":                 {dsc, s.country.Message(t, other), "content"},
		"signed by another country":          {dsc, sign(dsc.Cert.Raw, uploader(gatewaytest.Of("YY"))), "signer-country"},
		"signed by a CA":                     {dsc, sign(dsc.Cert.Raw, trusttest.CSCA(t)), "signer-usage"},
		"signed by an expired key":           {dsc, sign(dsc.Cert.Raw, uploader(trusttest.Validity(trusttest.Start, trusttest.Start.AddDate(0, 1, 0)))), "signer-validity"},
		"upload certificate too large":       {dsc, sign(dsc.Cert.Raw, uploader(padding(5000))), "size"},
		"expired":                            {wrong(trusttest.Validity(trusttest.Start, trusttest.Start.AddDate(0, 1, 0))), nil, "validity"},
		"longer than the CSCA":               {wrong(trusttest.Validity(trusttest.Start, trusttest.Start.AddDate(5, 0, 0))), nil, "validity"},
		"country":                            {wrong(gatewaytest.Of("YY")), nil, "country"},
		"two countries":                      {wrong(func(c *x509.Certificate) { c.Subject.Country = []string{"XX", "YY"} }), nil, "country"},
		"too large":                          {wrong(padding(3000)), nil, "size"},
		"no signatures":                      {wrong(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), nil, "certificate"},
		"an authority":                       {wrong(func(c *x509.Certificate) { c.IsCA = true }), nil, "certificate"},
		"another CSCA of the same name":      {trusttest.CSCA(t).DSC(t), nil, "chain"},
		"another CSCA":                       {trusttest.CSCA(t, func(c *x509.Certificate) { c.Subject.CommonName = "other" }).DSC(t), nil, "issuer"},
		"the CSCA itself instead of the DSC": {s.country.CSCA, nil, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := test.message
			if message == nil {
				message = s.country.Message(t, test.dsc)
			}
			_, err := client.Upload(t.Context(), test.dsc.Cert, message)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Rule || f.Code != "gateway-upload" {
				t.Fatalf("%v", err)
			}
			found := false
			for _, issue := range f.Issues {
				found = found || issue.Rule == test.rule
			}
			if !found {
				t.Errorf("issues %v, want %s", f.Issues, test.rule)
			}
		})
	}
	if _, err := client.Upload(t.Context(), nil, detached); err == nil {
		t.Error("no certificate accepted")
	}
	t.Cleanup(func() {
		if s.server.Requests() != 0 {
			t.Errorf("%d requests", s.server.Requests())
		}
	})
}

// An expired certificate can be withdrawn.
func TestDeleteOfAnExpiredCertificate(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	old := s.country.DSC(t, trusttest.Validity(trusttest.Start, trusttest.Start.AddDate(0, 1, 0)))
	if outcome, err := s.client(t).Delete(t.Context(), old.Cert, s.country.Message(t, old)); err != nil || outcome != dgcgateway.Absent {
		t.Errorf("%s %v", outcome, err)
	}
}

// The stand-in refuses what the real gateway refuses: else the tests above prove nothing.
func TestTheStandInChecks(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	far := s.server.Onboard(t, "YY")
	dsc := far.DSC(t)
	pretend := s.client(t, func(c *dgcgateway.Config) { // a client of YY with the TLS certificate of XX
		c.Country, c.CSCAs = "YY", []*x509.Certificate{far.CSCA.Cert}
	})
	if _, err := pretend.Upload(t.Context(), dsc.Cert, far.Message(t, dsc)); fault.KindOf(err) != fault.Rule || s.server.Requests() != 1 {
		t.Errorf("country of another: %v", err)
	}
	csca := trusttest.CSCA(t)
	unknown := s.client(t, func(c *dgcgateway.Config) { c.CSCAs = []*x509.Certificate{csca.Cert} })
	stray := csca.DSC(t)
	if _, err := unknown.Upload(t.Context(), stray.Cert, s.country.Message(t, stray)); fault.KindOf(err) != fault.Rule || s.server.Requests() != 2 {
		t.Errorf("CSCA not registered: %v", err)
	}
	if s.server.Created() != 0 {
		t.Error("stored")
	}
}

func TestNewRefusesSettings(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for name, change := range map[string]func(*dgcgateway.Config){
		"plain HTTP":            func(c *dgcgateway.Config) { c.URL = "http://127.0.0.1" },
		"no host":               func(c *dgcgateway.Config) { c.URL = "https://" },
		"query":                 func(c *dgcgateway.Config) { c.URL += "/?a=b" },
		"no country":            func(c *dgcgateway.Config) { c.Country = "xx" },
		"no CSCA":               func(c *dgcgateway.Config) { c.CSCAs = nil },
		"no pin":                func(c *dgcgateway.Config) { c.TLS.Pins = nil },
		"no client certificate": func(c *dgcgateway.Config) { c.TLS.ClientCertificate = nil },
		"no CA":                 func(c *dgcgateway.Config) { c.TLS.Roots = nil },
		"no timeout":            func(c *dgcgateway.Config) { c.Timeout = 0 },
		"no clock":              func(c *dgcgateway.Config) { c.Now = nil },
		"negative attempts":     func(c *dgcgateway.Config) { c.Attempts = -1 },
	} {
		config := s.config
		change(&config)
		if _, err := dgcgateway.New(config); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}
