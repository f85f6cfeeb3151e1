package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
)

// What an Options field is when it is zero.
const (
	defaultTimeout       = 10 * time.Second
	defaultAttempts      = 3
	defaultFirstPause    = 200 * time.Millisecond
	defaultLongestPause  = 5 * time.Second
	defaultMaxBody       = 32 << 20
	defaultMaxPages      = 1000
	defaultMaxMatches    = 100_000
	defaultMaxConcurrent = 32
)

// Options wire a Client. Base and Transport are required; everything else has a default.
type Options struct {
	// Base is the address below which everything is, such as https://host/fhir.
	Base string
	// AllowHTTP permits http to a loopback address. Never set it in production.
	AllowHTTP bool
	// InProcess says that Transport reaches a server of this process: http to any name.
	InProcess bool
	// Transport carries the TLS settings. It is wrapped by nothing here.
	Transport http.RoundTripper

	Timeout       time.Duration // of one attempt, its answer included; 10 s
	Attempts      int           // of one request; 3
	FirstPause    time.Duration // before the second attempt, then twice as long each; 200 ms
	LongestPause  time.Duration // also of a Retry-After that is waited for; 5 s
	MaxBody       int64         // bytes of one answer; 32 MiB
	MaxPages      int           // of one search; 1,000
	MaxMatches    int           // of one search, included resources counted; 100,000
	MaxConcurrent int           // requests at the same time; 32

	// Authorization gives the bearer token of a request; nil: none is sent.
	Authorization func(context.Context) (string, error)

	Clock func() time.Time                           // nil: time.Now; reads a Retry-After that is a date
	Sleep func(context.Context, time.Duration) error // nil: a timer
	Rand  func() float64                             // nil: math/rand/v2; spreads the pauses
}

// Client is safe for concurrent use.
type Client struct {
	o     Options
	base  *url.URL // without a slash at the end
	http  *http.Client
	slots chan struct{}
}

// New makes a client. It does not call the server.
func New(o Options) (*Client, error) {
	base, err := parseBase(o)
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		return nil, errors.New("fhir client: Transport is required")
	}
	o.complete()
	return &Client{
		o: o, base: base, slots: make(chan struct{}, o.MaxConcurrent),
		http: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func parseBase(o Options) (*url.URL, error) {
	u, err := url.Parse(o.Base)
	switch {
	case err != nil, u.Host == "", u.Opaque != "":
		return nil, errors.New("fhir client: the base must be an address such as https://host/fhir")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, errors.New("fhir client: the base must have no user, query or fragment")
	case u.Path != "" && (u.RawPath != "" || !strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path+"/", "/../")):
		return nil, errors.New("fhir client: the path of the base must be plain")
	case u.Scheme == "https", u.Scheme == "http" && (o.InProcess || o.AllowHTTP && loopback(u.Hostname())):
		u.Path = strings.TrimRight(u.Path, "/")
		return u, nil
	}
	return nil, errors.New("fhir client: the base must be https; http is for a permitted loopback address alone")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (o *Options) complete() {
	o.Timeout = positive(o.Timeout, defaultTimeout)
	o.Attempts = positive(o.Attempts, defaultAttempts)
	o.FirstPause = positive(o.FirstPause, defaultFirstPause)
	o.LongestPause = positive(o.LongestPause, defaultLongestPause)
	o.MaxBody = positive(o.MaxBody, defaultMaxBody)
	o.MaxPages = positive(o.MaxPages, defaultMaxPages)
	o.MaxMatches = positive(o.MaxMatches, defaultMaxMatches)
	o.MaxConcurrent = positive(o.MaxConcurrent, defaultMaxConcurrent)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = task.Sleep
	}
	if o.Rand == nil {
		o.Rand = rand.Float64 // spreads load, protects nothing
	}
}

func positive[N int | int64 | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}
