package devinstall

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
)

// operatorTimeout bounds one call of an operator.
const operatorTimeout = 10 * time.Second

// Operator gives the API of the signer as one of the two operators, 1 or 2, sees it.
func (d Installation) Operator(n int, signerAddress string) (*client.Operator, error) {
	name := map[int]string{1: "operator-1", 2: "operator-2"}[n]
	settings, err := tlsconf.NewClient(tlsconf.ClientOptions{
		Files: tlsconf.ClientFiles{
			Identity: tlsconf.Identity{Cert: d.Path("tls", name+".pem"), Key: config.SecretFile(d.Path("tls", name+".key"))},
			CA:       d.Path("tls", "ca.pem"),
		},
		Verify: tlsconf.VerifyPeerName([]string{devpki.SignerName}),
	})
	if err != nil {
		return nil, err
	}
	return client.NewOperator("https://"+signerAddress, client.Transport(settings), operatorTimeout)
}

// Register has both operators put the keys of this installation on the register of its
// running signer. It may be repeated.
func (d Installation) Register(ctx context.Context, signerAddress string) error {
	request, err := d.registrations()
	if err != nil {
		return err
	}
	first, err := d.Operator(1, signerAddress)
	if err != nil {
		return err
	}
	second, err := d.Operator(2, signerAddress)
	if err != nil {
		return err
	}
	known, err := first.Keys(ctx)
	if err != nil {
		return err
	}
	request.Registrations = slices.DeleteFunc(request.Registrations, func(r signing.Registration) bool {
		kid := keystore.KID(r.Certificate)
		return slices.ContainsFunc(known, func(k signing.KeyStatus) bool { return bytes.Equal(k.KID, kid) })
	})
	if len(request.Registrations) == 0 {
		return nil
	}
	proposed, err := first.Propose(ctx, request)
	if err != nil {
		return err
	}
	done, err := second.Approve(ctx, proposed.ID)
	if err == nil && done.State != signing.OperationDone {
		err = fmt.Errorf("the operation is %s: %s", done.State, done.Failure)
	}
	return err
}

func (d Installation) registrations() (signing.OperationRequest, error) {
	var request signing.OperationRequest
	raw, err := os.ReadFile(d.Path("register.json"))
	if err != nil {
		return request, err
	}
	return request, json.Unmarshal(raw, &request)
}

// Key gives a key of an installation that keeps them in files, for measurements.
func (d Installation) Key(usage keystore.Usage) (keystore.Key, error) {
	passphrase, err := config.SecretFile(d.Path("passphrase.secret")).Read()
	if err != nil {
		return keystore.Key{}, err
	}
	store, err := software.Open(d.Path("keys"), []byte(passphrase))
	if err != nil {
		return keystore.Key{}, err
	}
	request, err := d.registrations()
	if err != nil {
		return keystore.Key{}, err
	}
	at := slices.IndexFunc(request.Registrations, func(r signing.Registration) bool { return r.Usage == string(usage) })
	if at < 0 {
		return keystore.Key{}, keystore.ErrNoKey
	}
	r := request.Registrations[at]
	certificate, err := x509.ParseCertificate(r.Certificate)
	if err != nil {
		return keystore.Key{}, err
	}
	issuer, err := x509.ParseCertificate(r.Issuer)
	if err != nil {
		return keystore.Key{}, err
	}
	return keystore.Key{
		Usage: usage, Ref: keystore.Ref{Label: r.Label, Version: r.Version}, KID: keystore.KID(r.Certificate), Certificate: certificate, Issuer: issuer,
	}.Held(store), nil
}
