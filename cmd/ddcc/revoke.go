package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

type revokeCmd struct {
	gatewayFlags `embed:""`

	ID     string `arg:"" optional:"" help:"Id of a document; its certificates are revoked in all formats." placeholder:"ID"`
	KID    string `name:"kid" help:"Revoke everything that the key with this id signed: 8 bytes in standard base64. The issuer needs the right revokeAll." placeholder:"BASE64"`
	Reason string `required:"" enum:"${reasons}" help:"One of ${reasons}." placeholder:"REASON"`
	JSON   bool   `name:"json" help:"Print the result as JSON and no progress."`
}

// Help is shown by --help.
func (*revokeCmd) Help() string {
	return `A revocation is for ever. The document and its card can no longer be fetched, and the lists
for verifiers name the certificate from their next publication on. Revoking twice changes nothing.

  ddcc revoke 01a1fda6-4a25-7165-a053-9ba7f78969a6 --reason holder-request …
  ddcc revoke --kid '1UfeuyZOjcE=' --reason key-compromise …

With --kid the gateway revokes page by page. A run that broke off is run again: it goes on with
what is left. Revoke the key itself, too (ddcc keys operator), or it goes on signing.`
}

// revoked is the result.
type revoked struct {
	Revoked int  `json:"revoked"`
	Done    bool `json:"done"` // nothing is left
}

// Run revokes one certificate or all of a key.
func (c *revokeCmd) Run(s streams) error {
	if (c.ID == "") == (c.KID == "") {
		return usage("name either the id of a document or --kid")
	}
	if kid, err := base64.StdEncoding.DecodeString(c.KID); c.KID != "" && (err != nil || len(kid) != kidSize) {
		return usage("--kid is not %d bytes in standard base64", kidSize)
	}
	i, err := c.open()
	if err != nil {
		return err
	}
	if c.ID != "" {
		return c.one(s, i)
	}
	return c.ofKey(s, i)
}

const kidSize = 8 // bytes of a key id (HCERT specification §4.3)

// request is the body of both operations.
func (c *revokeCmd) request() map[string]any {
	list := []map[string]any{{"name": "reason", "valueCode": c.Reason}}
	if c.ID != "" {
		list = append(list, map[string]any{"name": "id", "valueId": c.ID})
	} else {
		list = append(list, map[string]any{"name": "kid", "valueString": c.KID})
	}
	return map[string]any{"resourceType": "Parameters", "parameter": list}
}

func (c *revokeCmd) one(s streams, i *issuer) error {
	a, _, err := i.operation(s.ctx, "/ddcc/Bundle/$revokeHealthCertificate", c.request())
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return c.refused(s, a, revoked{})
	}
	if c.JSON {
		return printJSON(s, revoked{1, true})
	}
	fmt.Fprintf(s.stdout, "revoked %s (%s)\n", c.ID, c.Reason)
	return nil
}

// refused says why; with --json what was done before is the result.
func (c *revokeCmd) refused(s streams, a answer, so revoked) error {
	fmt.Fprintf(s.stderr, "REFUSED (%d)\n", a.status)
	printOutcome(s.stderr, a.body)
	if c.JSON {
		return errors.Join(printJSON(s, so), errNegative)
	}
	return errNegative
}

var errStuck = errors.New("the gateway says that there is more to revoke and revokes nothing")

// ofKey repeats $revokeByKey until nothing is left. It waits where the gateway asks it to.
func (c *revokeCmd) ofKey(s streams, i *issuer) error {
	progress := newRevokeProgress(s.stderr, c.JSON)
	defer progress.end()
	var sum revoked
	for waits := 0; !sum.Done; {
		a, p, err := i.operation(s.ctx, "/ddcc/$revokeByKey", c.request())
		if err != nil {
			return fmt.Errorf("after %d revocations: %w; run it again to go on", sum.Revoked, err)
		}
		if after, ok := retryAfter(a); ok && waits < maxWaits {
			waits++
			if err := pause(s.ctx, after); err != nil {
				return err
			}
			continue
		}
		if a.status != http.StatusOK {
			progress.end()
			return c.refused(s, a, sum)
		}
		n := find(p.Parameter, "revoked").ValueInteger
		waits, sum = 0, revoked{sum.Revoked + n, !find(p.Parameter, "more").ValueBoolean}
		progress.step(n, sum.Revoked)
		if n == 0 && !sum.Done {
			return errStuck
		}
	}
	progress.end()
	if c.JSON {
		return printJSON(s, sum)
	}
	fmt.Fprintf(s.stdout, "revoked %d certificates of the key (%s)\n", sum.Revoked, c.Reason)
	return nil
}

// How patient ofKey is with a gateway that is busy.
const (
	maxWaits = 10 // in a row
	maxWait  = 30 * time.Second
)

// retryAfter is how long the gateway wants to be left alone, if it does.
func retryAfter(a answer) (time.Duration, bool) {
	if a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests {
		return 0, false
	}
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 1
	}
	return min(time.Duration(seconds)*time.Second, maxWait), true
}
