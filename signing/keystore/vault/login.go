package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// maxToken bounds what is accepted as a token or secret id.
const maxToken = 16 << 10

// authenticator logs in as the settings say.
type authenticator struct {
	conn *conn
	now  func() time.Time

	mu        sync.Mutex
	wrapping  secret // the wrapping token that secretID came out of
	unwrapped secret // kept, as a wrapping token works once
}

// login asks for a new token.
func (a *authenticator) login(ctx context.Context) (grant, error) {
	if a.conn.config.Auth == AuthToken {
		return a.static(ctx)
	}
	body, err := a.credentials(ctx)
	if err != nil {
		return grant{}, fmt.Errorf("%s login: %w", a.conn.config.Auth, err)
	}
	since := a.now()
	raw, err := a.conn.send(ctx, request{
		client: a.conn.anyone, path: "auth/" + a.conn.config.authMount() + "/login", body: body,
	})
	if err != nil {
		return grant{}, fmt.Errorf("%s login: %w", a.conn.config.Auth, err)
	}
	return granted(raw, since)
}

func (a *authenticator) credentials(ctx context.Context) ([]byte, error) {
	c := &a.conn.config
	fields := map[string]string{}
	switch c.Auth {
	case AuthAppRole:
		id, err := a.secretID(ctx)
		if err != nil {
			return nil, err
		}
		fields["role_id"], fields["secret_id"] = c.RoleID, id.reveal()
	case AuthKubernetes:
		jwt, err := config.ReadFile(c.KubernetesToken, maxFile)
		if err != nil {
			return nil, fmt.Errorf("kubernetes-token: %w", err)
		}
		fields["role"], fields["jwt"] = c.Role, strings.TrimSpace(string(jwt))
	case AuthCert:
		if c.Role != "" {
			fields["name"] = c.Role
		}
	}
	return json.Marshal(fields)
}

// secretID reads the file at each login, so that a new secret id is used without a restart.
func (a *authenticator) secretID(ctx context.Context) (secret, error) {
	text, err := readSecret("secret-id", a.conn.config.SecretID)
	if err != nil || !a.conn.config.SecretIDWrapped {
		return text, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if text.reveal() == a.wrapping.reveal() {
		return a.unwrapped, nil
	}
	id, err := a.unwrap(ctx, text)
	if err != nil {
		return secret{}, err
	}
	a.wrapping, a.unwrapped = text, id
	return id, nil
}

func readSecret(setting string, file config.SecretFile) (secret, error) {
	text, err := file.Read()
	if err != nil {
		return secret{}, fmt.Errorf("%s: %w", setting, err)
	}
	if len(text) > maxToken || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return secret{}, fmt.Errorf("%s: the file does not hold one word of printable characters", setting)
	}
	return newSecret(text), nil
}

// unwrap exchanges a wrapping token for the secret id in it. A token that was used before,
// or was made for something else, means that somebody read or replaced it on its way.
func (a *authenticator) unwrap(ctx context.Context, wrapping secret) (secret, error) {
	body, err := json.Marshal(map[string]string{"token": wrapping.reveal()})
	if err != nil {
		return secret{}, errors.New("secret-id: not text")
	}
	var about struct {
		Data struct {
			Path string `json:"creation_path"`
		} `json:"data"`
	}
	if err := a.ask(ctx, request{client: a.conn.anyone, path: "sys/wrapping/lookup", body: body}, &about); err != nil {
		if isRefused(err, denied, invalid, missing) {
			return secret{}, errors.New("secret-id: the wrapping token is not valid: it has ended or somebody used it; treat the secret id as stolen and deliver another")
		}
		return secret{}, err
	}
	c := &a.conn.config
	if want := "auth/" + c.authMount() + "/role/" + c.Role + "/secret-id"; about.Data.Path != want {
		return secret{}, errors.New("secret-id: the wrapping token was not made for a secret id of the role; somebody may have replaced it")
	}
	client, err := newClient(*c, a.conn.http)
	if err != nil {
		return secret{}, err
	}
	client.SetToken(wrapping.reveal())
	var inside struct {
		Data struct {
			SecretID string `json:"secret_id"`
		} `json:"data"`
	}
	if err := a.ask(ctx, request{client: client, path: "sys/wrapping/unwrap", body: []byte("{}"), once: true}, &inside); err != nil {
		return secret{}, fmt.Errorf("unwrap of the secret id: %w", err)
	}
	if inside.Data.SecretID == "" {
		return secret{}, errors.New("secret-id: the wrapping token holds no secret id")
	}
	return newSecret(inside.Data.SecretID), nil
}

func (a *authenticator) ask(ctx context.Context, r request, into any) error {
	raw, err := a.conn.send(ctx, r)
	if err != nil {
		return err
	}
	return decode(raw, into)
}

// static takes the token of a file, for development.
func (a *authenticator) static(ctx context.Context) (grant, error) {
	token, err := readSecret("token-file", a.conn.config.TokenFile)
	if err != nil {
		return grant{}, err
	}
	client, err := newClient(a.conn.config, a.conn.http)
	if err != nil {
		return grant{}, err
	}
	client.SetToken(token.reveal())
	var about struct {
		Data struct {
			TTL       int64 `json:"ttl"`
			Renewable bool  `json:"renewable"`
		} `json:"data"`
	}
	since := a.now()
	if err := a.ask(ctx, request{client: client, path: lookupSelf}, &about); err != nil {
		return grant{}, fmt.Errorf("token: %w", err)
	}
	return grant{
		token: token, ttl: seconds(about.Data.TTL), renewable: about.Data.Renewable, since: since,
	}, nil
}

// Paths about the own token.
const (
	lookupSelf = "auth/token/lookup-self"
	renewSelf  = "auth/token/renew-self"
)

// renew extends the life of the token in use.
func (a *authenticator) renew(ctx context.Context, g grant) (grant, error) {
	since := a.now()
	raw, err := a.conn.send(ctx, request{client: a.conn.client, path: renewSelf, body: []byte("{}")})
	if err != nil {
		return grant{}, fmt.Errorf("token renewal: %w", err)
	}
	var answer authAnswer
	if err := decode(raw, &answer); err != nil {
		return grant{}, err
	}
	g.ttl, g.renewable, g.since = seconds(answer.Auth.LeaseDuration), answer.Auth.Renewable, since
	return g, nil
}

// alive asks whether Vault still knows the token in use.
func (a *authenticator) alive(ctx context.Context) (bool, error) {
	_, err := a.conn.send(ctx, request{client: a.conn.client, path: lookupSelf})
	if isRefused(err, denied) {
		return false, nil
	}
	return err == nil, err
}

// authAnswer is what a login and a renewal answer.
type authAnswer struct {
	Auth struct {
		ClientToken   string   `json:"client_token"`
		LeaseDuration int64    `json:"lease_duration"` // seconds
		Renewable     bool     `json:"renewable"`
		Policies      []string `json:"policies"`
	} `json:"auth"`
}

// granted reads a login. A token of the root policy is refused: a service that may do
// everything to the keys is no signer.
func granted(raw []byte, since time.Time) (grant, error) {
	var answer authAnswer
	if err := decode(raw, &answer); err != nil {
		return grant{}, err
	}
	token := answer.Auth.ClientToken
	if token == "" || len(token) > maxToken {
		return grant{}, errors.New("the login gave no token; does it ask for a second factor?")
	}
	if slices.Contains(answer.Auth.Policies, "root") {
		return grant{}, errors.New("the login gave a token of the root policy; give the role the signer's policy")
	}
	return grant{
		token: newSecret(token), ttl: seconds(answer.Auth.LeaseDuration),
		renewable: answer.Auth.Renewable, since: since,
	}, nil
}

// maxTTL keeps durations from overflowing; a token of a year never ends here.
const maxTTL = 365 * 24 * time.Hour

func seconds(n int64) time.Duration {
	return min(time.Duration(max(0, min(n, int64(maxTTL/time.Second))))*time.Second, maxTTL)
}

// decode reads an answer; what does not fit is not repeated.
func decode(raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return &refusal{status: http.StatusOK, reason: "something that is not an answer of the API"}
	}
	return nil
}
