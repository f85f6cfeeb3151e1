package openhim

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// Headers of the core that count. A rerun has all of the latter; anyone may send them too, and
// they only ever take rights away.
const clientHeader = "X-OpenHIM-ClientID"

var rerunHeaders = []string{"parentid", "taskid", "clientid"}

// Clients knows the issuers that come through OpenHIM.
type Clients interface {
	OpenHIMClient(id string) (mediator.IssuerPolicy, error)
}

// EdgeOptions wire the edge. All fields but Credentials are required.
type EdgeOptions struct {
	Name        string // in the client certificate of the core
	URN         string // ours
	Credentials Credentials
	Clients     Clients
	Clock       func() time.Time
}

// Edge tells requests that come through OpenHIM, and answers them in its form.
type Edge struct{ o EdgeOptions }

// NewEdge checks the wiring. Without credentials OpenHIM can carry requests for nobody.
func NewEdge(o EdgeOptions) (*Edge, error) {
	if o.Name == "" || o.Clients == nil || o.Clock == nil {
		return nil, errors.New("openhim: a dependency of the edge is missing")
	}
	if err := CheckURN(o.URN); err != nil {
		return nil, err
	}
	return &Edge{o}, nil
}

var errChannel = fault.New(fault.Unauthenticated, "openhim-channel",
	"The request did not come over a private channel of OpenHIM that belongs to this gateway.").With(fault.Issue{
	Path: "Authorization", Rule: "openhim-channel", Detail: "The route's credentials are missing or wrong.",
	Fix: "Ask the operator of OpenHIM to set user and password of the channel's route.",
})

var errRerun = fault.New(fault.Forbidden, "openhim-rerun",
	"A repetition by OpenHIM is taken only over a channel that belongs to one client.").With(fault.Issue{
	Path: "parentid", Rule: "openhim-rerun",
	Detail: "OpenHIM repeats stored headers, among which a client may have put the name of another.",
	Fix:    "Send the request again; or ask the operator to give the client a channel with credentials of its own.",
})

var errOtherClient = fault.New(fault.Forbidden, "openhim-client", "The channel belongs to another client of OpenHIM.")

// Issuer implements mediator/httpapi.Relay. Errors: Unauthenticated without the channel
// credentials, whatever headers say; Forbidden for a client that is no issuer or not the one
// of the channel, and for a repetition over a channel of several clients.
func (e *Edge) Issuer(r *http.Request, peer string) (by mediator.IssuerPolicy, relayed bool, err error) {
	if peer != e.o.Name {
		return mediator.IssuerPolicy{}, false, nil
	}
	user, password, ok := r.BasicAuth()
	if !ok || len(r.Header.Values("Authorization")) != 1 {
		return mediator.IssuerPolicy{}, true, errChannel
	}
	owner, ok := e.o.Credentials.match(user, password)
	if !ok {
		return mediator.IssuerPolicy{}, true, errChannel
	}
	var client string
	if ids := r.Header.Values(clientHeader); len(ids) == 1 {
		client = ids[0]
	}
	switch {
	case owner == "" && rerun(r.Header):
		return mediator.IssuerPolicy{}, true, errRerun
	case owner != "" && client != owner:
		return mediator.IssuerPolicy{}, true, errOtherClient
	}
	if owner != "" {
		producedOf(r.Context()).mayRepeat()
	}
	by, err = e.o.Clients.OpenHIMClient(client)
	return by, true, err
}

func rerun(h http.Header) bool {
	return slices.ContainsFunc(rerunHeaders, func(name string) bool { return len(h.Values(name)) > 0 })
}

// Bounds of the file with channel credentials.
const (
	maxCredentials = 1000 // a channel for each issuer, old and new ones
	minPassword    = 16   // characters
)

// Credentials are what routes of private channels are configured with.
type Credentials []credential

type credential struct {
	digest [sha256.Size]byte
	client string // the only one of the channel; empty: there are several
}

// ParseCredentials reads lines of USER:PASSWORD, for a channel of several clients, or
// CLIENT USER:PASSWORD, for the channel of one. Errors name a line and repeat nothing of it.
func ParseCredentials(text string) (Credentials, error) {
	var c Credentials
	n := 0
	for line := range strings.Lines(text) {
		n++
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		user, password, ok := strings.Cut(fields[len(fields)-1], ":")
		if len(fields) > 2 || !ok || user == "" || len(password) < minPassword {
			return nil, fmt.Errorf("line %d must be USER:PASSWORD or CLIENT USER:PASSWORD, with 16 characters or more of a password and no blanks in it", n)
		}
		if _, twice := c.match(user, password); twice {
			return nil, fmt.Errorf("line %d has the credentials of an earlier line", n)
		}
		c = append(c, credential{digest(user, password), strings.Join(fields[:len(fields)-1], "")})
	}
	if len(c) == 0 || len(c) > maxCredentials {
		return nil, fmt.Errorf("1 to %d lines are needed", maxCredentials)
	}
	return c, nil
}

// Clients are those that have channels of their own.
func (c Credentials) Clients() []string {
	var out []string
	for _, known := range c {
		if known.client != "" {
			out = append(out, known.client)
		}
	}
	return out
}

// match compares with all of them, in a time that tells nothing of how far it got.
func (c Credentials) match(user, password string) (client string, ok bool) {
	sum := digest(user, password)
	for _, known := range c {
		if subtle.ConstantTimeCompare(known.digest[:], sum[:]) == 1 {
			client, ok = known.client, true
		}
	}
	return client, ok
}

// digest is of both, as a user has no colon; it hides the lengths, too.
func digest(user, password string) [sha256.Size]byte {
	return sha256.Sum256([]byte(user + ":" + password))
}
