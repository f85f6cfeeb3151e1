package openhim

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of one call.
const (
	callTime  = 5 * time.Second
	maxAnswer = 1 << 20 // bytes
	maxHeader = 64 << 10
	maxQuoted = 200 // bytes of a core's own words in an error
)

// What the core said no with. Everything else is trouble of the network or of the core.
var (
	ErrUnknown     = errors.New("openhim: the core does not know this mediator")
	ErrCredentials = errors.New("openhim: the core does not accept user and password")
	ErrPermission  = errors.New("openhim: the user lacks a permission; it needs mediator-manage-all (before 8.0: the group admin)")
	ErrRejected    = errors.New("openhim: the core finds a fault in the registration")
)

// Auth is how the user is authenticated.
type Auth string

// The ways. Token is the only one before 5.1, and deprecated from 8.0 on.
const (
	AuthAuto  Auth = "auto" // basic, and token where that is refused
	AuthBasic Auth = "basic"
	AuthToken Auth = "token"
)

// ClientOptions describe the management API. All fields but Auth and Salt are required;
// TLS is not for http:// on loopback.
type ClientOptions struct {
	Base     string // https://host:port
	User     string // e-mail address
	Password string
	Auth     Auth // empty: AuthAuto
	TLS      *tls.Config
	Clock    func() time.Time
	Salt     func() string // random text; nil: from crypto/rand
}

// Client calls the management API. It is safe for concurrent use.
type Client struct {
	o    ClientOptions
	http *http.Client

	mu    sync.Mutex
	token tokenState
}

// NewClient checks the options. It connects to nothing. Plain HTTP is for loopback alone.
func NewClient(o ClientOptions) (*Client, error) {
	base, err := CheckBase(o.Base)
	switch {
	case err != nil:
		return nil, err
	case base.Scheme == "https" && o.TLS == nil, o.Clock == nil:
		return nil, errors.New("openhim: a dependency of the client is missing")
	case o.User == "" || o.Password == "" || strings.Contains(o.User, ":"):
		return nil, errors.New("openhim: user or password cannot be used")
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	if o.Salt == nil {
		o.Salt = randomSalt
	}
	if o.Auth == "" {
		o.Auth = AuthAuto
	}
	return &Client{o: o, http: &http.Client{
		Timeout: callTime,
		Transport: &http.Transport{
			TLSClientConfig: o.TLS, DialContext: (&net.Dialer{Timeout: callTime}).DialContext, TLSHandshakeTimeout: callTime,
			MaxResponseHeaderBytes: maxHeader,
			DisableKeepAlives:      true, // a core closes idle connections before the next heartbeat
		},
		// A redirect would carry the credentials elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// CheckBase reads the address of a management API: https://host[:port], or http on loopback.
func CheckBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" || base.User != nil {
		return nil, errors.New("must be https://host:port, without a path")
	}
	ip := net.ParseIP(base.Hostname())
	loopback := base.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if base.Scheme != "https" && (base.Scheme != "http" || !loopback) {
		return nil, errors.New("must be https; http is for loopback alone")
	}
	return base, nil
}

// Register posts the registration (POST /mediators). It succeeds also where the core keeps
// what it had, because the version is no newer.
func (c *Client) Register(ctx context.Context, r Registration) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	a, err := c.call(ctx, http.MethodPost, "/mediators", raw)
	if err != nil {
		return err
	}
	if a.status == http.StatusBadRequest {
		return fmt.Errorf("%w: %q", ErrRejected, a.body[:min(len(a.body), maxQuoted)])
	}
	return a.want(http.StatusCreated, http.StatusOK)
}

// Registered gives what the core keeps of a mediator (GET /mediators/{urn}).
func (c *Client) Registered(ctx context.Context, urn string) (Registration, error) {
	a, err := c.call(ctx, http.MethodGet, "/mediators/"+url.PathEscape(urn), nil)
	if err == nil {
		err = a.want(http.StatusOK)
	}
	if err != nil {
		return Registration{}, err
	}
	var r Registration
	if !a.json() || json.Unmarshal(a.body, &r) != nil {
		return Registration{}, a.unexpected()
	}
	return r, nil
}

// Heartbeat says that the mediator has been up for so long (POST /mediators/{urn}/heartbeat).
// config is what the console set: when asked for, and when it was changed since the last
// heartbeat of anyone under this urn; else nil.
func (c *Client) Heartbeat(ctx context.Context, urn string, uptime time.Duration, askConfig bool) (config []byte, err error) {
	beat := struct {
		Uptime float64 `json:"uptime"` // seconds
		Config bool    `json:"config,omitempty"`
	}{uptime.Seconds(), askConfig}
	raw, err := json.Marshal(beat)
	if err != nil {
		return nil, err
	}
	a, err := c.call(ctx, http.MethodPost, "/mediators/"+url.PathEscape(urn)+"/heartbeat", raw)
	if err == nil {
		err = a.want(http.StatusOK)
	}
	switch {
	case err != nil:
		return nil, err
	case a.media == "text/html": // somebody's page, and no core
		return nil, a.unexpected()
	case !a.json():
		return nil, nil // "", "OK": nothing to tell
	}
	if body := bytes.TrimSpace(a.body); len(body) > 0 && string(body) != "null" {
		return body, nil
	}
	return nil, nil
}

// answer is a response that was read whole.
type answer struct {
	status int
	media  string
	body   []byte
}

func (a answer) json() bool { return a.media == "application/json" }

func (a answer) unexpected() error {
	return fmt.Errorf("openhim: an answer that cannot be used: status %d", a.status)
}

// want judges by the status alone: bodies of good answers are no JSON, and differ.
func (a answer) want(good ...int) error {
	if slices.Contains(good, a.status) {
		return nil
	}
	switch a.status {
	case http.StatusUnauthorized:
		return ErrCredentials
	case http.StatusForbidden:
		return ErrPermission
	case http.StatusNotFound:
		return ErrUnknown
	}
	return a.unexpected()
}

// send makes one request; authorize may be nil.
func (c *Client) send(ctx context.Context, method, path string, body []byte, authorize func(http.Header)) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.o.Base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, errors.New("openhim: the request cannot be made")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorize != nil {
		authorize(req.Header)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("openhim: %w", unaddressed(err))
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, fmt.Errorf("openhim: the answer broke off: %w", err)
	case len(raw) > maxAnswer:
		return answer{}, fmt.Errorf("openhim: the answer is larger than %d bytes", maxAnswer)
	}
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	return answer{resp.StatusCode, media, raw}, nil
}

// unaddressed drops the address from an error: the user is part of some.
func unaddressed(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
