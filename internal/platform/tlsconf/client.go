package tlsconf

import (
	"crypto/tls"
	"errors"
	"time"
)

// ClientFiles are the file settings of a client. Embed it in a configuration with, for
// example, `embed:"" prefix:"signer-tls-"`.
type ClientFiles struct {
	Identity   `embed:""`
	CA         string `name:"ca" help:"PEM file with the CAs that sign the server certificate." placeholder:"FILE"`
	ServerName string `name:"server-name" help:"Name the server certificate must carry; empty: the host of the address." placeholder:"NAME"`
}

// ClientOptions describe the client side of a mutual TLS connection.
type ClientOptions struct {
	Files  ClientFiles
	Prefix string // of the settings in error messages, e.g. "signer-tls-"

	// Verify is asked after chain and server name were verified; may be nil.
	Verify func(tls.ConnectionState) error

	Now      func() time.Time // nil: time.Now
	Interval time.Duration    // of looking at the files; 0: DefaultInterval
	Report   func(error)      // told about each reload and each failure of one; may be nil
}

// NewClient reads the files and gives a configuration that follows changes of the own
// certificate. The CA file is read once: a new CA needs a restart. System roots are never
// used.
func NewClient(o ClientOptions) (*tls.Config, error) {
	first, pairErr := o.Files.load(o.Prefix)
	pool, _, poolErr := loadPool(o.Prefix+"ca", o.Files.CA)
	if err := errors.Join(pairErr, poolErr); err != nil {
		return nil, err
	}
	last := first
	r := &reloader[pair]{
		value: first,
		read: func() (pair, bool, error) {
			p, err := o.Files.load(o.Prefix)
			if err != nil {
				return p, false, err
			}
			changed := p.certPEM != last.certPEM || p.keyPEM != last.keyPEM
			last = p
			return p, changed, nil
		},
		now: clock(o.Now), interval: interval(o.Interval), report: o.Report,
	}
	r.looked = r.now()
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		RootCAs:    pool,
		ServerName: o.Files.ServerName,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return r.current().cert, nil
		},
		VerifyConnection: o.Verify,
		NextProtos:       []string{"h2", "http/1.1"},
		Time:             clock(o.Now),
	}, nil
}
