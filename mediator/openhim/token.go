package openhim

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// tokenState is what token authentication needs of the core.
type tokenState struct {
	used   bool // the core has taken a token
	known  bool
	salt   string        // of the stored password
	offset time.Duration // of the core's clock to ours: its window is 10 s
}

// maxSalt bounds what is taken of the core's salt, in bytes.
const maxSalt = 1024

var errSalt = errors.New("openhim: the core's answer about the user cannot be used")

// call sends a request as the user. After a 401 the other way is tried where Auth leaves
// it open, and a token is made anew, since the salt or a clock may have changed.
func (c *Client) call(ctx context.Context, method, path string, body []byte) (answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.Auth == AuthBasic || c.o.Auth == AuthAuto && !c.token.used {
		a, err := c.send(ctx, method, path, body, c.basic)
		if err != nil || a.status != http.StatusUnauthorized || c.o.Auth == AuthBasic {
			return a, err
		}
	}
	a, err := c.withToken(ctx, method, path, body)
	c.token.used = err == nil && a.status != http.StatusUnauthorized
	return a, err
}

func (c *Client) withToken(ctx context.Context, method, path string, body []byte) (answer, error) {
	if c.token.known {
		a, err := c.send(ctx, method, path, body, c.signed)
		if err != nil || a.status != http.StatusUnauthorized {
			return a, err
		}
	}
	if err := c.learn(ctx); err != nil {
		return answer{}, err
	}
	return c.send(ctx, method, path, body, c.signed)
}

// learn asks for the salt and the clock of the core (GET /authenticate/{user}). A core that
// does not know the user, or no token of it, says 404.
func (c *Client) learn(ctx context.Context) error {
	c.token.known = false
	a, err := c.send(ctx, http.MethodGet, "/authenticate/"+url.PathEscape(c.o.User), nil, nil)
	if err != nil {
		return err
	}
	if err := a.want(http.StatusOK); err != nil {
		if errors.Is(err, ErrUnknown) {
			return ErrCredentials
		}
		return err
	}
	var said struct {
		Salt string    `json:"salt"`
		TS   time.Time `json:"ts"`
	}
	if json.Unmarshal(a.body, &said) != nil || said.Salt == "" || len(said.Salt) > maxSalt || said.TS.IsZero() {
		return errSalt
	}
	c.token = tokenState{known: true, used: c.token.used, salt: said.Salt, offset: said.TS.Sub(c.o.Clock())}
	return nil
}

func (c *Client) basic(h http.Header) {
	r := http.Request{Header: h}
	r.SetBasicAuth(c.o.User, c.o.Password)
}

// signed adds a token that is good for a few seconds. Names of the headers are the core's.
func (c *Client) signed(h http.Header) {
	salt := c.o.Salt()
	ts := c.o.Clock().Add(c.token.offset).UTC().Format("2006-01-02T15:04:05.000Z")
	h.Set("auth-username", c.o.User)
	h.Set("auth-ts", ts)
	h.Set("auth-salt", salt)
	h.Set("auth-token", hash(hash(c.token.salt+c.o.Password)+salt+ts))
}

// hash is the one that the core's records of users name.
func hash(text string) string {
	sum := sha512.Sum512([]byte(text))
	return hex.EncodeToString(sum[:])
}

func randomSalt() string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails (Go 1.24 and later)
	return hex.EncodeToString(salt)
}
