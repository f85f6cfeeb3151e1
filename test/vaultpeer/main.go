// Command vaultpeer runs a real HashiCorp Vault core on loopback, for tests and the demo.
//
// It has what the signing service meets in production: transit, PKI, the AppRole, TLS
// certificate and Kubernetes logins, and the file audit device; nothing is mounted. Storage
// is a directory, so that a killed and restarted process keeps its keys, or memory.
//
// It prints one JSON line when it listens. The first start on a storage initialises it with
// one unseal key and unseals it; a later start stays sealed, as a real one does, until
// somebody calls sys/unseal. It is a nested module to keep Vault out of the go.mod of the
// gateway, and it must never run anywhere but in a test: the root token goes to standard
// output.
package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/audit"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/credential/cert"
	"github.com/hashicorp/vault/builtin/logical/pki"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/helper/testhelpers/corehelpers"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// started is the line on standard output.
type started struct {
	Address   string `json:"address"`
	CAFile    string `json:"ca_file,omitempty"`    // PEM; empty with plain HTTP
	RootToken string `json:"root_token,omitempty"` // on the first start of a storage alone
	UnsealKey string `json:"unseal_key,omitempty"` // Base64; as RootToken
}

type flags struct {
	listen, storage, tlsDir string
	exitWithStdin           bool
}

func main() {
	var f flags
	flag.StringVar(&f.listen, "listen", "127.0.0.1:0", "loopback `address`")
	flag.StringVar(&f.storage, "storage", "", "`directory` of the storage; empty: in memory")
	flag.StringVar(&f.tlsDir, "tls", "", "`directory` of ca.pem, server.pem and server.key, made when absent; empty: plain HTTP")
	flag.BoolVar(&f.exitWithStdin, "exit-with-stdin", false, "end when standard input ends")
	flag.Parse()
	if err := run(f); err != nil {
		log.Fatal(err)
	}
}

func run(f flags) error {
	listener, err := listen(f.listen)
	if err != nil {
		return err
	}
	core, err := newCore(f.storage)
	if err != nil {
		return err
	}
	line, err := open(core)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{
			Core: core, ListenerConfig: &configutil.Listener{Address: listener.Addr().String()},
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // handshakes that tests break on purpose
	}
	line.Address = "http://" + listener.Addr().String()
	if f.tlsDir != "" {
		if server.TLSConfig, err = serverTLS(f.tlsDir); err != nil {
			return err
		}
		line.Address = "https://" + listener.Addr().String()
		line.CAFile = filepath.Join(f.tlsDir, caFile)
	}
	if f.exitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// listen refuses anything but loopback: this server hands out its root token.
func listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not a loopback address", address)
	}
	return net.Listen("tcp", address)
}

func newCore(storage string) (*vault.Core, error) {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: os.Stderr})
	backend, err := newStorage(storage, logger)
	if err != nil {
		return nil, err
	}
	return vault.NewCore(&vault.CoreConfig{
		Physical:        backend,
		Logger:          logger,
		DisableMlock:    true,
		LogicalBackends: map[string]logical.Factory{"transit": transit.Factory, "pki": pki.Factory},
		CredentialBackends: map[string]logical.Factory{
			"approle": approle.Factory, "cert": cert.Factory, "kubernetes": kubernetes.Factory,
		},
		AuditBackends:   map[string]audit.Factory{"file": audit.NewFileBackend},
		BuiltinRegistry: corehelpers.NewMockBuiltinRegistry(),
	})
}

func newStorage(dir string, logger hclog.Logger) (physical.Backend, error) {
	if dir == "" {
		return inmem.NewInmem(nil, logger)
	}
	return file.NewFileBackend(map[string]string{"path": dir}, logger)
}

// open initialises and unseals a new storage; an old one stays sealed.
func open(core *vault.Core) (started, error) {
	ctx := context.Background()
	if known, err := core.Initialized(ctx); err != nil || known {
		return started{}, err
	}
	res, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return started{}, err
	}
	if _, err := core.Unseal(res.SecretShares[0]); err != nil {
		return started{}, err
	}
	return started{
		RootToken: res.RootToken,
		UnsealKey: base64.StdEncoding.EncodeToString(res.SecretShares[0]),
	}, nil
}

// serverTLS uses the certificate in dir and makes it, with a CA of its own, when there is none.
func serverTLS(dir string) (*tls.Config, error) {
	certFile, keyFile := filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if errors.Is(err, os.ErrNotExist) {
		if err = makeCertificates(dir); err == nil {
			pair, err = tls.LoadX509KeyPair(certFile, keyFile)
		}
	}
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequestClientCert, // the cert login decides, as on a real listener
	}, nil
}
