package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
)

// Bounds of uploads.
const (
	uploadCall    = 30 * time.Second // one attempt of one call
	uploadTimeout = 10 * time.Minute // one round, with all certificates and repetitions
	uploadRetry   = time.Minute
)

// uploadSettings say to which national or WHO gateway the own certificates are uploaded.
type uploadSettings struct {
	URL   string              `name:"url" help:"Address of the national or WHO gateway to which the document signer certificates are uploaded (docs/national-gateway.md); empty: nothing is uploaded." placeholder:"https://HOST/PATH"`
	TLS   tlsconf.ClientFiles `embed:"" prefix:"tls-"`
	Pin   []string            `help:"Base64 of the SHA-256 of a public key that the gateway's certificate chain must hold; give the present and the next one." placeholder:"PIN"`
	Every time.Duration       `default:"15m" help:"How often it is looked whether the certificates are there."`
}

// Validate checks what needs no file.
func (s uploadSettings) Validate() error {
	var errs []error
	if s.Every <= 0 {
		errs = append(errs, config.Invalid("upload-every", "must be positive"))
	}
	if s.URL == "" {
		if s.TLS != (tlsconf.ClientFiles{}) || len(s.Pin) > 0 {
			errs = append(errs, config.Invalid("upload-url", "is missing, but other settings of the upload are there"))
		}
		return errors.Join(errs...)
	}
	if address, err := url.Parse(s.URL); err != nil || address.Scheme != "https" || address.Host == "" {
		errs = append(errs, config.Invalid("upload-url", "must be https://host/path"))
	}
	if len(s.Pin) == 0 {
		errs = append(errs, config.Invalid("upload-pin", "is required: the gateway's key is pinned besides its CA"))
	}
	if _, err := s.pins(); err != nil {
		errs = append(errs, config.Invalid("upload-pin", "%v", err))
	}
	return errors.Join(errs...)
}

func (s uploadSettings) pins() ([]pinned.Pin, error) {
	pins := make([]pinned.Pin, len(s.Pin))
	var errs []error
	for i, text := range s.Pin {
		var err error
		if pins[i], err = pinned.ParsePin(text); err != nil {
			errs = append(errs, err)
		}
	}
	return pins, errors.Join(errs...)
}

// upload wires the upload of the own certificates, if there is one.
func (g *gateway) upload() error {
	s := g.settings
	if s.Upload.URL == "" {
		return nil
	}
	there, err := newUploadClient(s, func(err error) { g.process.Log.Warn("TLS files of the upload", slog.Any("error", err)) })
	if err != nil {
		return err
	}
	uploader, err := dgcgateway.NewUploader(dgcgateway.UploaderConfig{
		Client: there, Source: uploadSource{g.signer.Uploads},
		Interval: s.Upload.Every, Retry: min(uploadRetry, s.Upload.Every), Timeout: uploadTimeout,
		Now: time.Now, Log: g.process.Log,
	})
	if err != nil {
		return err
	}
	g.tasks = append(g.tasks, uploader.Run)
	return g.process.Registry.Register(&uploadMetrics{status: uploader.Status, now: time.Now})
}

// newUploadClient reads the files of the upload. It connects to nothing.
func newUploadClient(s settings, report func(error)) (*dgcgateway.Client, error) {
	files, tlsErr := tlsconf.NewClient(tlsconf.ClientOptions{Files: s.Upload.TLS, Prefix: "upload-tls-", Report: report})
	pins, pinErr := s.Upload.pins()
	anchors, anchorErr := trust.ReadAnchors(s.TrustCSCA)
	if err := errors.Join(tlsErr, pinErr, anchorErr); err != nil {
		return nil, err
	}
	there, err := dgcgateway.New(dgcgateway.Config{
		URL: s.Upload.URL, Country: s.TrustCountry, CSCAs: anchors, Timeout: uploadCall, Now: time.Now,
		TLS: pinned.Options{
			Roots: files.RootCAs, Pins: pins, ServerName: s.Upload.TLS.ServerName,
			ClientCertificate: func() (*tls.Certificate, error) {
				return files.GetClientCertificate(&tls.CertificateRequestInfo{})
			},
		},
	})
	if err != nil {
		return nil, config.Invalid("upload-url", "%v", err)
	}
	return there, nil
}

// uploadSource asks the signing service, which alone holds the upload key.
type uploadSource struct {
	uploads func(context.Context) ([]signing.Upload, error)
}

var (
	errNoUploads = fault.New(fault.Conflict, "upload-nothing",
		"The signing service has nothing to upload: put an upload key on its register, and keys that are published.")
	errUploadForm = fault.New(fault.Upstream, "upload-form", "The signing service gave a certificate that cannot be read.")
)

// Uploads implements dgcgateway.Source. Nothing to upload is an error: whoever configured
// the upload would otherwise believe that the certificates are there.
func (s uploadSource) Uploads(ctx context.Context) ([]dgcgateway.Upload, error) {
	found, err := s.uploads(ctx)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoUploads
	}
	uploads := make([]dgcgateway.Upload, len(found))
	for i, one := range found {
		certificate, err := x509.ParseCertificate(one.Certificate)
		if err != nil {
			return nil, errUploadForm.Because(fmt.Errorf("key %x: %w", one.KID, err))
		}
		uploads[i] = dgcgateway.Upload{KID: one.KID, Certificate: certificate, CMS: one.CMS}
	}
	return uploads, nil
}

// uploadMetrics tells what is on the gateway, at the moment of the scrape.
type uploadMetrics struct {
	status func() dgcgateway.Status
	now    func() time.Time
}

var (
	uploadCertificates = prometheus.NewDesc("ddcc_upload_certificates", "Own certificates by their state on the national gateway.", []string{"state"}, nil)
	uploadAge          = prometheus.NewDesc("ddcc_upload_age_seconds", "Time since all own certificates were on the national gateway; +Inf: never since the start.", nil, nil)
	uploadFailed       = prometheus.NewDesc("ddcc_upload_failed", "1: the last attempt did not bring all own certificates onto the national gateway.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *uploadMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{uploadCertificates, uploadAge, uploadFailed} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *uploadMetrics) Collect(out chan<- prometheus.Metric) {
	status := m.status()
	counts := map[dgcgateway.State]int{dgcgateway.StateListed: 0, dgcgateway.StateAccepted: 0, dgcgateway.StateFailed: 0}
	for _, entry := range status.Entries {
		counts[entry.State]++
	}
	for state, count := range counts {
		out <- gauge(uploadCertificates, float64(count), string(state))
	}
	out <- gauge(uploadAge, secondsSince(status.Good, m.now()))
	out <- gauge(uploadFailed, truth(status.Err != nil))
}
