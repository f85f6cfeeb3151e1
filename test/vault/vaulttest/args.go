package vaulttest

import (
	"strconv"

	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// Args writes settings as flags of the signer; empty ones are left out.
func Args(c vault.Config) []string {
	var args []string
	for _, flag := range [][2]string{
		{"address", c.Address}, {"namespace", c.Namespace}, {"mount", c.Mount}, {"key-prefix", c.KeyPrefix},
		{"ca", c.CA}, {"server-name", c.ServerName}, {"public-keys", c.PublicKeys},
		{"auth", c.Auth}, {"auth-mount", c.AuthMount}, {"role", c.Role},
		{"role-id", c.RoleID}, {"secret-id", string(c.SecretID)}, {"kubernetes-token", c.KubernetesToken},
		{"client-cert", c.Client.Cert}, {"client-key", string(c.Client.Key)}, {"token-file", string(c.TokenFile)},
		{"timeout", c.Timeout.String()}, {"deadline", c.Deadline.String()}, {"max-in-flight", strconv.Itoa(c.MaxInFlight)},
	} {
		if flag[1] != "" {
			args = append(args, "--vault-"+flag[0]+"="+flag[1])
		}
	}
	if c.SecretIDWrapped {
		args = append(args, "--vault-secret-id-wrapped")
	}
	return args
}
