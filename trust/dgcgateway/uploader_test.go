package dgcgateway_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway/gatewaytest"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// published is a list of own certificates.
type published struct {
	uploads []dgcgateway.Upload
	err     error
}

func (p published) Uploads(context.Context) ([]dgcgateway.Upload, error) { return p.uploads, p.err }

func (s set) published(t testing.TB, dscs ...trusttest.Pair) published {
	t.Helper()
	var p published
	for _, dsc := range dscs {
		p.uploads = append(p.uploads, dgcgateway.Upload{KID: trust.KID(dsc.Cert), Certificate: dsc.Cert, CMS: s.country.Message(t, dsc)})
	}
	return p
}

func (s set) uploader(t testing.TB, source dgcgateway.Source, changes ...func(*dgcgateway.Config)) *dgcgateway.Uploader {
	t.Helper()
	u, err := dgcgateway.NewUploader(dgcgateway.UploaderConfig{
		Client: s.client(t, changes...), Source: source, Interval: time.Hour, Retry: time.Minute, Timeout: time.Minute,
		Now: func() time.Time { return gatewaytest.Now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func states(status dgcgateway.Status) []dgcgateway.State {
	var out []dgcgateway.State
	for _, entry := range status.Entries {
		out = append(out, entry.State)
	}
	return out
}

func TestUploaderUploadsWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	a, b := s.country.DSC(t), s.country.DSC(t)
	u := s.uploader(t, s.published(t, a, b))
	if _, err := s.client(t).Upload(t.Context(), a.Cert, s.country.Message(t, a)); err != nil {
		t.Fatal(err)
	}
	for round, want := range []int{1 + 3, 1 + 3 + 1} { // list, upload, list; then list alone
		if err := u.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.server.Requests() != want || s.server.Created() != 2 || !s.server.Has(b.Cert) {
			t.Errorf("round %d: %d requests, %d created", round, s.server.Requests(), s.server.Created())
		}
		status := u.Status()
		if got := states(status); len(got) != 2 || got[0] != dgcgateway.StateListed || got[1] != dgcgateway.StateListed || status.Err != nil || status.Good.IsZero() {
			t.Errorf("%+v", status)
		}
	}
}

func TestOneBadCertificateDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	good, expired := s.country.DSC(t), s.country.DSC(t, trusttest.Validity(trusttest.Start, trusttest.Start.AddDate(0, 1, 0)))
	source := s.published(t, expired, good, good)
	source.uploads[2].KID = []byte("12345678")
	u := s.uploader(t, source)
	err := u.Refresh(t.Context())
	status := u.Status()
	if got := states(status); err == nil || len(got) != 3 || got[0] != dgcgateway.StateFailed || got[1] != dgcgateway.StateListed || got[2] != dgcgateway.StateFailed {
		t.Errorf("%v %+v", err, status)
	}
	if !s.server.Has(good.Cert) || s.server.Created() != 1 || !status.Good.IsZero() || fault.KindOf(status.Entries[0].Err) != fault.Rule {
		t.Errorf("%+v", status)
	}
}

func TestAcceptedButNotSeenYet(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	dsc := s.country.DSC(t)
	u := s.uploader(t, s.published(t, dsc))
	empty := gatewaytest.Fault{Status: 200, Body: []byte("[]")}
	s.server.Next(empty, gatewaytest.Fault{Status: 201}, empty)
	if err := u.Refresh(t.Context()); err != nil || states(u.Status())[0] != dgcgateway.StateAccepted {
		t.Errorf("%v %+v", err, u.Status())
	}
	s.server.Next(empty, gatewaytest.Fault{Status: 201}, gatewaytest.Fault{Status: 404})
	if err := u.Refresh(t.Context()); err != nil || states(u.Status())[0] != dgcgateway.StateAccepted {
		t.Errorf("%v %+v", err, u.Status())
	}
}

func TestUploaderReportsFailures(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	dsc := s.country.DSC(t)
	broken := errors.New("signer is away")
	if u := s.uploader(t, published{err: broken}); !errors.Is(u.Refresh(t.Context()), broken) || !errors.Is(u.Status().Err, broken) || u.Status().At.IsZero() {
		t.Errorf("%+v", u.Status())
	}
	u := s.uploader(t, s.published(t, dsc))
	s.server.Next(gatewaytest.Fault{Status: 403})
	if err := u.Refresh(t.Context()); fault.KindOf(err) != fault.Forbidden {
		t.Error(err)
	}
}

// Racing uploaders, with connections that break after the work was done, store every
// certificate once.
func TestUploadOnceUnderRetriesAndRaces(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	dscs := []trusttest.Pair{s.country.DSC(t), s.country.DSC(t), s.country.DSC(t)}
	source := s.published(t, dscs...)
	for range 6 {
		s.server.Next(gatewaytest.Fault{}, gatewaytest.Fault{DropAfter: true}, gatewaytest.Fault{}, gatewaytest.Fault{Status: 503})
	}
	var tasks sync.WaitGroup
	for range 6 {
		u := s.uploader(t, source, func(c *dgcgateway.Config) { c.Attempts = 30 })
		tasks.Go(func() {
			if err := u.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	tasks.Wait()
	if s.server.Created() != len(dscs) {
		t.Errorf("created %d", s.server.Created())
	}
	for _, dsc := range dscs {
		if !s.server.Has(dsc.Cert) {
			t.Error("one is missing")
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	dsc := s.country.DSC(t)
	asked := make(chan struct{}, 1)
	u := s.uploader(t, announcing{s.published(t, dsc), asked})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	<-asked
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// announcing tells when it is asked.
type announcing struct {
	published
	asked chan<- struct{}
}

func (a announcing) Uploads(ctx context.Context) ([]dgcgateway.Upload, error) {
	select {
	case a.asked <- struct{}{}:
	default:
	}
	return a.published.Uploads(ctx)
}

func TestNewUploaderRefusesWrongWiring(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	good := dgcgateway.UploaderConfig{
		Client: s.client(t), Source: published{}, Interval: time.Hour, Retry: time.Minute, Timeout: time.Minute, Now: time.Now, Log: slog.Default(),
	}
	for name, change := range map[string]func(*dgcgateway.UploaderConfig){
		"no client": func(c *dgcgateway.UploaderConfig) { c.Client = nil }, "no source": func(c *dgcgateway.UploaderConfig) { c.Source = nil },
		"no clock": func(c *dgcgateway.UploaderConfig) { c.Now = nil }, "no log": func(c *dgcgateway.UploaderConfig) { c.Log = nil },
		"no interval": func(c *dgcgateway.UploaderConfig) { c.Interval = 0 }, "no timeout": func(c *dgcgateway.UploaderConfig) { c.Timeout = 0 },
		"retry too long": func(c *dgcgateway.UploaderConfig) { c.Retry = 2 * time.Hour },
	} {
		config := good
		change(&config)
		if _, err := dgcgateway.NewUploader(config); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}
