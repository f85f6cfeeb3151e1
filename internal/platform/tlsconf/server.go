package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"
)

// ServerFiles are the file settings of a listener. Embed it in a configuration with
// `embed:"" prefix:"tls-"`.
type ServerFiles struct {
	Identity `embed:""`
	ClientCA string `name:"client-ca" help:"PEM file with the CAs that sign client certificates." placeholder:"FILE"`
}

// ServerOptions describe one listener.
type ServerOptions struct {
	Files  ServerFiles
	Prefix string // of the settings in error messages, e.g. "tls-"

	// OptionalClient accepts clients without a certificate, for public routes on the
	// same listener. A certificate that is presented is verified all the same.
	OptionalClient bool

	// Verify is asked after the chain was verified, on every handshake. Nil admits every
	// client of the CAs; use VerifyPeerName to admit names. To hear of the clients that are
	// refused, by it or before it is asked, give OnRefused to the http.Server.
	Verify func(tls.ConnectionState) error

	Now      func() time.Time // nil: time.Now
	Interval time.Duration    // of looking at the files; 0: DefaultInterval
	Report   func(error)      // told about each reload and each failure of one; may be nil
}

// NewServer reads the files and gives a configuration that follows their changes, the
// client CAs included. Sessions are not resumed, so that a changed CA or allow-list holds
// from the next connection on.
func NewServer(o ServerOptions) (*tls.Config, error) {
	first, err := o.load()
	if err != nil {
		return nil, err
	}
	last := first
	r := &reloader[serverState]{
		value: first,
		read: func() (serverState, bool, error) {
			s, err := o.load()
			if err != nil {
				return s, false, err
			}
			changed := s.certPEM != last.certPEM || s.keyPEM != last.keyPEM || s.caPEM != last.caPEM
			last = s
			return s, changed, nil
		},
		now: clock(o.Now), interval: interval(o.Interval), report: o.Report,
	}
	r.looked = r.now()
	base := o.config(first)
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return o.config(r.current()), nil
	}
	return base, nil
}

type serverState struct {
	pair
	pool  *x509.CertPool
	caPEM string
}

func (o ServerOptions) load() (serverState, error) {
	p, pairErr := o.Files.load(o.Prefix)
	pool, caPEM, poolErr := loadPool(o.Prefix+"client-ca", o.Files.ClientCA)
	if err := errors.Join(pairErr, poolErr); err != nil {
		return serverState{}, err
	}
	return serverState{pair: p, pool: pool, caPEM: caPEM}, nil
}

func (o ServerOptions) config(s serverState) *tls.Config {
	auth := tls.RequireAndVerifyClientCert
	if o.OptionalClient {
		auth = tls.VerifyClientCertIfGiven
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{*s.cert},
		ClientAuth:             auth,
		ClientCAs:              s.pool,
		VerifyConnection:       marked(o.Verify),
		SessionTicketsDisabled: true,
		NextProtos:             []string{"h2", "http/1.1"},
		Time:                   clock(o.Now),
	}
}

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

func interval(d time.Duration) time.Duration {
	if d <= 0 {
		return DefaultInterval
	}
	return d
}
