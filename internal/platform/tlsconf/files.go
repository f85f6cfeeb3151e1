package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// maxPEM bounds what is read from one file. A CA bundle of a whole country fits.
const maxPEM = 1 << 20

// ErrSetting is wrapped by every error about a setting of this package.
var ErrSetting = errors.New("TLS setting")

// SettingError names the setting that is wrong and what to do about it.
type SettingError struct {
	Setting string // name of the flag without dashes, e.g. "tls-cert"
	Problem string
	cause   error
}

func (e *SettingError) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Setting, e.Problem, e.cause)
	}
	return e.Setting + ": " + e.Problem
}

// Unwrap gives ErrSetting and the cause.
func (e *SettingError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrSetting}
	}
	return []error{ErrSetting, e.cause}
}

// Identity is the own certificate of a process. Embed it in a configuration with
// `embed:"" prefix:"tls-"`; Prefix of ServerOptions or ClientOptions is then "tls-".
type Identity struct {
	Cert string            `name:"cert" help:"PEM file with the own certificate and its intermediates." placeholder:"FILE"`
	Key  config.SecretFile `name:"key" help:"PEM file with the private key of the certificate; readable by its owner alone." placeholder:"FILE"`
}

// pair is what one reading of the files gave.
type pair struct {
	certPEM, keyPEM string
	cert            *tls.Certificate
}

func (id Identity) load(prefix string) (pair, error) {
	var p pair
	certPEM, certErr := readSetting(prefix+"cert", id.Cert)
	keyPEM, keyErr := readKey(prefix+"key", id.Key)
	if err := errors.Join(certErr, keyErr); err != nil {
		return p, err
	}
	cert, err := tls.X509KeyPair(certPEM, []byte(keyPEM))
	if err != nil {
		return p, &SettingError{Setting: prefix + "cert", Problem: "certificate and " + prefix + "key do not form a pair", cause: err}
	}
	return pair{certPEM: string(certPEM), keyPEM: keyPEM, cert: &cert}, nil
}

// loadPool reads CA certificates. A file without any is an error: an empty pool would
// refuse every peer without saying why.
func loadPool(setting, path string) (*x509.CertPool, string, error) {
	pem, err := readSetting(setting, path)
	if err != nil {
		return nil, "", err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, "", &SettingError{Setting: setting, Problem: "the file holds no PEM certificate; give the CA certificates that sign the peers"}
	}
	return pool, string(pem), nil
}

func readKey(setting string, file config.SecretFile) (string, error) {
	if !file.IsSet() {
		return "", &SettingError{Setting: setting, Problem: "not set; give a PEM file"}
	}
	key, err := file.Read()
	if err != nil {
		return "", &SettingError{Setting: setting, Problem: "cannot be used", cause: err}
	}
	return key, nil
}

func readSetting(setting, path string) ([]byte, error) {
	if path == "" {
		return nil, &SettingError{Setting: setting, Problem: "not set; give a PEM file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &SettingError{Setting: setting, Problem: "cannot be opened", cause: err}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, &SettingError{Setting: setting, Problem: "cannot be read", cause: err}
	}
	if len(data) > maxPEM {
		return nil, &SettingError{Setting: setting, Problem: fmt.Sprintf("the file is larger than %d bytes", maxPEM)}
	}
	return data, nil
}
