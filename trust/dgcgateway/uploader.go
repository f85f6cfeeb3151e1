package dgcgateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// Upload is a published DSC of ours with the message that uploads it.
type Upload struct {
	KID         []byte // first 8 bytes of SHA-256 of the certificate
	Certificate *x509.Certificate
	CMS         []byte // DER, signed with the upload key
}

// Source lists what has to be on the gateway, e.g. what the signing service publishes.
type Source interface {
	Uploads(ctx context.Context) ([]Upload, error)
}

// State of one certificate on the gateway.
type State string

// The states.
const (
	StateListed   State = "listed"   // seen on the gateway's list
	StateAccepted State = "accepted" // taken by the gateway, not seen on its list yet
	StateFailed   State = "failed"   // see Err
)

// EntryStatus is the state of one certificate.
type EntryStatus struct {
	KID   []byte
	State State
	Err   error // of the last attempt; nil unless failed
}

// Status of the whole.
type Status struct {
	At      time.Time     // of the last attempt, UTC; zero: none yet
	Good    time.Time     // when everything was on the gateway last, UTC; zero: never
	Entries []EntryStatus // of the last attempt that got as far as the certificates
	Err     error         // of the last attempt
}

// UploaderConfig says what is uploaded and how often it is looked at.
type UploaderConfig struct {
	Client   *Client
	Source   Source
	Interval time.Duration    // between attempts after a success
	Retry    time.Duration    // after a failure, at most Interval
	Timeout  time.Duration    // of one attempt, all its calls included
	Now      func() time.Time // the clock
	Log      *slog.Logger
}

// Uploader makes sure that the own DSCs are on the gateway. It never withdraws one: that is
// an operator's decision. Several may run at once.
type Uploader struct {
	config  UploaderConfig
	attempt sync.Mutex // one at a time

	mu     sync.Mutex // guards status
	status Status
}

// NewUploader checks the wiring.
func NewUploader(config UploaderConfig) (*Uploader, error) {
	switch {
	case config.Client == nil || config.Source == nil || config.Now == nil || config.Log == nil:
		return nil, errors.New("dgcgateway: an uploader needs a client, a source, a clock and a log")
	case config.Interval <= 0 || config.Timeout <= 0 || config.Retry <= 0 || config.Retry > config.Interval:
		return nil, errors.New("dgcgateway: interval, retry and timeout of an uploader must be positive, and retry not longer than interval")
	}
	return &Uploader{config: config}, nil
}

// Status tells how the last attempt went.
func (u *Uploader) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	status := u.status
	status.Entries = slices.Clone(status.Entries)
	return status
}

// Refresh uploads what is missing. One certificate that fails does not hold up the others.
func (u *Uploader) Refresh(ctx context.Context) error {
	u.attempt.Lock()
	defer u.attempt.Unlock()
	ctx, cancel := context.WithTimeout(ctx, u.config.Timeout)
	defer cancel()
	entries, err := u.refresh(ctx)
	now := u.config.Now().UTC().Truncate(time.Second)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.status.At, u.status.Err = now, err
	if entries != nil {
		u.status.Entries = entries
	}
	if err == nil {
		u.status.Good = now
	}
	return err
}

func (u *Uploader) refresh(ctx context.Context) ([]EntryStatus, error) {
	uploads, err := u.config.Source.Uploads(ctx)
	if err != nil {
		return nil, fmt.Errorf("dgcgateway: list own certificates: %w", err)
	}
	listed, err := u.config.Client.Listed(ctx)
	if err != nil {
		return nil, fmt.Errorf("dgcgateway: look at the gateway's list: %w", err)
	}
	entries := make([]EntryStatus, len(uploads))
	sent := false
	var failures []error
	for i, upload := range uploads {
		entries[i] = u.place(ctx, upload, listed)
		sent = sent || entries[i].State == StateAccepted
		if entries[i].Err != nil {
			failures = append(failures, fmt.Errorf("dgcgateway: key %x: %w", upload.KID, entries[i].Err))
		}
	}
	if sent {
		u.confirm(ctx, uploads, entries)
	}
	return entries, errors.Join(failures...)
}

var errKID = errors.New("dgcgateway: the key id of an upload is not the one of its certificate")

// place brings one certificate onto the list.
func (u *Uploader) place(ctx context.Context, upload Upload, listed map[[sha256.Size]byte]bool) EntryStatus {
	status := EntryStatus{KID: upload.KID, State: StateFailed}
	if upload.Certificate == nil || !bytes.Equal(upload.KID, trust.KID(upload.Certificate)) {
		status.Err = errKID
		return status
	}
	if listed[sha256.Sum256(upload.Certificate.Raw)] {
		status.State = StateListed
		return status
	}
	outcome, err := u.config.Client.Upload(ctx, upload.Certificate, upload.CMS)
	if err != nil {
		status.Err = err
		return status
	}
	status.State = StateAccepted
	u.config.Log.InfoContext(ctx, "certificate on the national gateway", slog.String("kid", fmt.Sprintf("%x", upload.KID)), slog.String("outcome", string(outcome)))
	return status
}

// confirm looks whether verifiers can see what was taken. A list that cannot be had now
// leaves it at accepted.
func (u *Uploader) confirm(ctx context.Context, uploads []Upload, entries []EntryStatus) {
	listed, err := u.config.Client.Listed(ctx)
	if err != nil {
		return
	}
	for i := range entries {
		if entries[i].State == StateAccepted && listed[sha256.Sum256(uploads[i].Certificate.Raw)] {
			entries[i].State = StateListed
		}
	}
}

// Run refreshes at once and then at the interval until ctx ends, which is its only reason
// to return. Failures are logged and tried again sooner.
func (u *Uploader) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		wait := u.config.Interval
		if err := u.Refresh(ctx); err != nil && ctx.Err() == nil {
			wait = u.config.Retry
			u.config.Log.ErrorContext(ctx, "own certificates not all on the national gateway", slog.Any("error", err))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
	return nil
}
