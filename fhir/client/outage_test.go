package client_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// kinds are what a mode that never ends is reported as.
var kinds = map[clienttest.Mode]struct {
	kind fault.Kind
	code string
	once bool // repeating at once is of no use
}{
	clienttest.Refuse:           {kind: fault.Unavailable, code: "fhir-unavailable"},
	clienttest.WrongCertificate: {kind: fault.Unavailable, code: "fhir-certificate", once: true},
	clienttest.HangBefore:       {kind: fault.Timeout, code: "fhir-timeout"},
	clienttest.HangAfter:        {kind: fault.Timeout, code: "fhir-timeout"},
	clienttest.DropBefore:       {kind: fault.Unavailable, code: "fhir-unavailable"},
	clienttest.DropAfter:        {kind: fault.Unavailable, code: "fhir-unavailable"},
	clienttest.CutBody:          {kind: fault.Upstream, code: "fhir-answer"},
	clienttest.HalfOpen:         {kind: fault.Timeout, code: "fhir-timeout"},
	clienttest.Status500:        {kind: fault.Upstream, code: "fhir-server"},
	clienttest.Status500After:   {kind: fault.Upstream, code: "fhir-server"},
	clienttest.Status503:        {kind: fault.Unavailable, code: "fhir-busy"},
	clienttest.TooMany:          {kind: fault.Unavailable, code: "fhir-busy"},
	clienttest.NotFoundPage:     {kind: fault.Upstream, code: "fhir-answer", once: true},
	clienttest.OutcomeOK:        {kind: fault.Upstream, code: "fhir-answer", once: true},
	clienttest.OtherResource:    {kind: fault.Upstream, code: "fhir-answer", once: true},
	clienttest.NotJSON:          {kind: fault.Upstream, code: "fhir-answer", once: true},
	clienttest.HTML:             {kind: fault.Upstream, code: "fhir-answer", once: true},
	clienttest.Elsewhere:        {kind: fault.Upstream, code: "fhir-redirect", once: true},
	clienttest.Endless:          {kind: fault.Upstream, code: "fhir-answer", once: true},
}

// interaction is a way to store the patient "x", or to read it.
type interaction struct {
	name       string
	repeatable bool
	stores     bool
	do         func(context.Context, *client.Client) error
}

func interactions() []interaction {
	tx := func(method, url, more string) []byte {
		return fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":%s,"request":{"method":%q,"url":%q%s}}]}`, patient("x"), method, url, more)
	}
	return []interaction{
		{"create once", true, true, func(ctx context.Context, c *client.Client) error {
			_, _, err := c.Create(ctx, "Patient", patient("x"), condition("x"))
			return err
		}},
		{"create", false, true, func(ctx context.Context, c *client.Client) error {
			_, _, err := c.Create(ctx, "Patient", patient("x"), "")
			return err
		}},
		{"update", true, true, func(ctx context.Context, c *client.Client) error {
			_, _, err := c.Update(ctx, "Patient", "x", patient("x"), "")
			return err
		}},
		{"conditional update", true, true, func(ctx context.Context, c *client.Client) error {
			_, _, err := c.ConditionalUpdate(ctx, "Patient", condition("x"), patient("x"))
			return err
		}},
		{"transaction to repeat", true, true, func(ctx context.Context, c *client.Client) error {
			_, err := c.Transaction(ctx, tx("POST", "Patient", `,"ifNoneExist":"`+condition("x")+`"`))
			return err
		}},
		{"transaction not to repeat", false, true, func(ctx context.Context, c *client.Client) error {
			_, err := c.Transaction(ctx, tx("POST", "Patient", ""))
			return err
		}},
		{"read", true, false, func(ctx context.Context, c *client.Client) error {
			_, err := c.Read(ctx, "Patient", "there")
			return err
		}},
		{"search", true, false, func(ctx context.Context, c *client.Client) error {
			for _, err := range c.Search(ctx, "Patient", url.Values{"_id": {"there"}}) {
				return err
			}
			return fmt.Errorf("nothing found")
		}},
		{"delete", true, false, func(ctx context.Context, c *client.Client) error {
			return c.Delete(ctx, "Patient", "gone", "")
		}},
	}
}

// isX counts the patients that an interaction stored.
func isX(p *clienttest.Peer) (n int) {
	for _, raw := range p.Store().All("Patient") {
		if strings.Contains(string(raw), `"value":"x"`) {
			n++
		}
	}
	return n
}

// start gives a peer that holds the patient "there".
func start(t *testing.T) *clienttest.Peer {
	t.Helper()
	p := clienttest.NewPeer(t)
	if _, _, err := open(t, p, nil).Update(t.Context(), "Patient", "there", patient("there"), ""); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOutageOnce meets each failure with each interaction: nothing is called stored that is
// not, nothing is stored twice, and what may be stored is said to be so.
func TestOutageOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range clienttest.Modes() {
		for _, i := range interactions() {
			t.Run(string(mode)+"/"+i.name, func(t *testing.T) {
				t.Parallel()
				p := start(t)
				c := open(t, p, impatient(mode))
				p.Fail(mode, 1)
				err := i.do(t.Context(), c)
				// A request that did not get through a connection, or that the server turned away, can
				// be repeated whatever it is.
				harmless := mode == clienttest.Refuse || mode == clienttest.TooMany
				if again := !kinds[mode].once && (i.repeatable || harmless); again != (err == nil) {
					t.Fatalf("repeated: %v, but: %v", again, err)
				}
				stored := isX(p)
				switch {
				case err == nil && i.stores && stored != 1, stored > 1:
					t.Errorf("%d are stored", stored)
				case err != nil:
					check(t, err)
					if !client.IsTemporary(err) {
						t.Errorf("not temporary: %v", err)
					}
					if stored > 0 && !client.MaybeDone(err) {
						t.Errorf("stored, and MaybeDone is false: %v", err)
					}
				}
				if err != nil && i.repeatable { // the caller's next try mends it
					if err := i.do(t.Context(), c); err != nil || i.stores && isX(p) != 1 {
						t.Errorf("next try: %d stored, %v", isX(p), err)
					}
				}
			})
		}
	}
}

// TestOutageForGood meets failures that do not end: the number of attempts is bounded and the
// fault is the right one.
func TestOutageForGood(t *testing.T) {
	t.Parallel()
	for _, mode := range clienttest.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			p := start(t)
			c := open(t, p, impatient(mode))
			before := len(p.Exchanges())
			p.Fail(mode, -1)
			began := time.Now()
			_, _, err := c.Update(t.Context(), "Patient", "x", patient("x"), "")
			want := kinds[mode]
			if f := check(t, err); f.Kind != want.kind || f.Code != want.code {
				t.Errorf("%v", err)
			}
			attempts := 3
			if want.once {
				attempts = 1
			}
			// On a busy machine the time of an attempt may be over before the server hears of it.
			if n := len(p.Exchanges()) - before; n > attempts || n < attempts && !mode.Hangs() {
				t.Errorf("%d attempts, not %d", n, attempts)
			}
			if took := time.Since(began); took > 2*easyLimit {
				t.Errorf("took %v", took)
			}
			if mode.Does() && !client.MaybeDone(err) || (mode == clienttest.Refuse || mode == clienttest.WrongCertificate) && client.MaybeDone(err) {
				t.Errorf("MaybeDone is %v", client.MaybeDone(err))
			}
		})
	}
}
