package vault

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
)

// The ways to log in.
const (
	AuthAppRole    = "approle"
	AuthKubernetes = "kubernetes"
	AuthCert       = "cert"
	AuthToken      = "token" // development alone
)

// Config are the settings of the store. Embed it with, for example, `embed:""
// prefix:"vault-"` and check it with config.Under("vault-", c.Check(environment)).
type Config struct {
	Address    string `help:"Address of Vault or its load balancer, https://HOST:PORT; plain http on loopback alone." placeholder:"URL"`
	Namespace  string `help:"Namespace (Vault Enterprise, HCP); empty: the root namespace." placeholder:"PATH"`
	Mount      string `default:"transit" help:"Path of the transit engine." placeholder:"PATH"`
	KeyPrefix  string `help:"Put in front of a label to form the name of the transit key." placeholder:"PREFIX"`
	CA         string `name:"ca" help:"PEM file with the CAs that sign Vault's certificate; system roots are never used." placeholder:"FILE"`
	ServerName string `name:"server-name" help:"Name Vault's certificate must carry; empty: the host of the address." placeholder:"NAME"`
	PublicKeys string `name:"public-keys" help:"Directory of LABEL-VERSION.pem files with public keys that Vault does not show: those of managed keys." placeholder:"DIR"`

	Auth      string `default:"approle" enum:"approle,kubernetes,cert,token" help:"How to log in: approle, kubernetes (service account), cert (TLS client certificate); token in development alone."`
	AuthMount string `help:"Path of the auth method; empty: its name." placeholder:"PATH"`
	Role      string `help:"Role of the login. approle: needed for a wrapped secret id; cert: may be empty." placeholder:"NAME"`

	RoleID          string            `name:"role-id" help:"approle: the role id." placeholder:"UUID"`
	SecretID        config.SecretFile `name:"secret-id" help:"approle: file with the secret id, or with the token that wraps it." placeholder:"FILE"`
	SecretIDWrapped bool              `name:"secret-id-wrapped" help:"approle: the file holds a response-wrapping token; it is unwrapped once, and only if it was made for the role."`
	KubernetesToken string            `default:"/var/run/secrets/vault/token" help:"kubernetes: file with the projected service account token; read at each login." placeholder:"FILE"`
	Client          tlsconf.Identity  `embed:"" prefix:"client-"`
	TokenFile       config.SecretFile `name:"token-file" help:"token: file with a Vault token (development alone)." placeholder:"FILE"`
	Timeout         time.Duration     `default:"2s" help:"Longest wait for one answer."`
	Deadline        time.Duration     `default:"5s" help:"Longest time of one operation with its retries and a new login."`
	MaxInFlight     int               `default:"64" help:"Requests to Vault at a time; four times as many may wait."`
}

// Enabled reports whether the store is configured at all.
func (c *Config) Enabled() bool { return c.Address != "" }

// Limits of the settings.
const (
	minTimeout     = 10 * time.Millisecond
	maxDeadline    = time.Minute
	maxMaxInFlight = 1024
)

var (
	mountForm  = regexp.MustCompile(`^[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*$`)
	prefixForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
)

// Check reports everything that is wrong at once.
func (c *Config) Check(environment config.Environment) error {
	return errors.Join(c.checkAddress(), c.checkNames(), c.checkAuth(environment), c.checkLimits())
}

func (c *Config) checkAddress() error {
	u, err := url.Parse(c.Address)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return config.Invalid("address", "is not https://HOST:PORT")
	}
	switch {
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme != "https":
		return config.Invalid("address", "must be https; plain http is for loopback alone")
	case c.CA == "":
		return config.Invalid("ca", "is not set; give the PEM file of the CAs that sign Vault's certificate")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (c *Config) checkNames() error {
	var errs []error
	for flag, path := range map[string]string{
		"mount": c.Mount, "auth-mount": c.authMount(), "namespace": strings.Trim(c.Namespace, "/"),
	} {
		if (path != "" || flag != "namespace") && !mountForm.MatchString(path) {
			errs = append(errs, config.Invalid(flag, "is not a path of letters, digits, _ and - without slashes at its ends"))
		}
	}
	if c.KeyPrefix != "" && !prefixForm.MatchString(c.KeyPrefix) {
		errs = append(errs, config.Invalid("key-prefix", "may hold a-z, 0-9 and hyphens, up to 63, and starts with no hyphen"))
	}
	if c.Role != "" && !mountForm.MatchString(c.Role) {
		errs = append(errs, config.Invalid("role", "may hold letters, digits, _ and - alone"))
	}
	return errors.Join(errs...)
}

func (c *Config) authMount() string {
	if c.AuthMount == "" {
		return c.Auth
	}
	return c.AuthMount
}

func (c *Config) checkAuth(environment config.Environment) error {
	switch c.Auth {
	case AuthAppRole:
		return c.checkAppRole()
	case AuthKubernetes:
		return errors.Join(
			demand("role", c.Role != "", "is not set; kubernetes logs in to a role"),
			demand("kubernetes-token", c.KubernetesToken != "", "is not set; give the file of the projected token"))
	case AuthCert:
		return errors.Join(
			demand("address", strings.HasPrefix(c.Address, "https:"), "must be https to log in with a client certificate"),
			demand("client-cert", c.Client.Cert != "", "is not set; cert logs in with it"),
			demand("client-key", c.Client.Key.IsSet(), "is not set; cert logs in with it"))
	case AuthToken:
		return errors.Join(
			demand("auth", !environment.IsProduction(), "is token; production refuses a token that nobody rotates"),
			demand("token-file", c.TokenFile.IsSet(), "is not set"))
	}
	return config.Invalid("auth", "must be approle, kubernetes, cert or token")
}

func (c *Config) checkAppRole() error {
	return errors.Join(
		demand("role-id", c.RoleID != "", "is not set; approle needs it"),
		demand("secret-id", c.SecretID.IsSet(), "is not set; approle needs the file"),
		demand("role", c.Role != "" || !c.SecretIDWrapped, "is not set; a wrapped secret id is accepted for a named role alone"))
}

func demand(flag string, holds bool, problem string) error {
	if holds {
		return nil
	}
	return config.Invalid(flag, "%s", problem)
}

func (c *Config) checkLimits() error {
	return errors.Join(
		demand("timeout", c.Timeout >= minTimeout, "must be 10ms or more"),
		demand("deadline", c.Deadline >= c.Timeout && c.Deadline <= maxDeadline, "must be between timeout and one minute"),
		demand("max-in-flight", c.MaxInFlight >= 1 && c.MaxInFlight <= maxMaxInFlight, "must be between 1 and 1024"))
}
