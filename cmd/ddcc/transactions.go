package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// transactionsCmd are the commands of the operators of a gateway.
type transactionsCmd struct {
	List   transactionsListCmd   `cmd:"" help:"Search the record of requests and deliveries, the newest first."`
	Show   transactionsShowCmd   `cmd:"" help:"Show one transaction with every call that was made for it."`
	Stats  transactionsStatsCmd  `cmd:"" help:"Count transactions by route and outcome, with percentiles of their time."`
	Replay transactionsReplayCmd `cmd:"" help:"Make a failed call of a delivery again."`
}

// gatewayOperatorFlags say how to reach a gateway as an operator. Variables may give them.
type gatewayOperatorFlags struct {
	Gateway string `required:"" env:"DDCC_GATEWAY" help:"Address of the gateway." placeholder:"https://HOST:PORT"`
	Cert    string `required:"" env:"DDCC_OPERATOR_CERT" help:"PEM file with your operator certificate." placeholder:"FILE"`
	Key     string `required:"" env:"DDCC_OPERATOR_KEY" help:"PEM file with its private key." placeholder:"FILE"`
	CA      string `name:"ca" required:"" env:"DDCC_GATEWAY_CA" help:"PEM file with the CA of the gateway's certificate." placeholder:"FILE"`
	JSON    bool   `name:"json" help:"Print the answer of the gateway as JSON."`
}

// desk is an operator's connection to a gateway.
type desk struct {
	*issuer

	flags gatewayOperatorFlags
	s     streams
}

func (f gatewayOperatorFlags) open(s streams) (desk, error) {
	client, err := gatewayFlags{Gateway: f.Gateway, Cert: f.Cert, Key: f.Key, CA: f.CA}.open()
	return desk{client, f, s}, err
}

// ask sends one request, and again where the gateway asks for patience; into takes the
// answer of a success.
func (d desk) ask(method, route string, into any) error {
	for waits := 0; ; waits++ {
		req, err := http.NewRequestWithContext(d.s.ctx, method, d.base+route, http.NoBody)
		if err != nil {
			return usage("gateway address: %v", err)
		}
		a, err := d.do(req)
		if err != nil {
			return err
		}
		if after, ok := retryAfter(a); ok && waits < maxWaits {
			if err := pause(d.s.ctx, after); err != nil {
				return err
			}
			continue
		}
		if a.status != http.StatusOK {
			return d.flags.refused(d.s, a)
		}
		if err := json.Unmarshal(a.body, into); err != nil {
			return errors.New("the gateway's answer is no JSON of this route")
		}
		return nil
	}
}

// once is ask for a command that sends one request.
func (f gatewayOperatorFlags) once(s streams, method, route string, into any) error {
	d, err := f.open(s)
	if err != nil {
		return err
	}
	return d.ask(method, route, into)
}

// refused prints a problem document, rule by rule.
func (f gatewayOperatorFlags) refused(s streams, a answer) error {
	if f.JSON {
		fmt.Fprintf(s.stdout, "%s\n", a.body)
		return errNegative
	}
	var problem struct {
		Detail string
		Errors []struct{ Path, Rule, Detail, Fix string }
	}
	if err := json.Unmarshal(a.body, &problem); err != nil || problem.Detail == "" {
		return fmt.Errorf("the gateway answered %d", a.status)
	}
	fmt.Fprintf(s.stderr, "ddcc: refused (%d): %s\n", a.status, problem.Detail)
	for _, e := range problem.Errors {
		fmt.Fprintf(s.stderr, "  %s: %s: %s %s\n", e.Path, e.Rule, e.Detail, e.Fix)
	}
	return errNegative
}

// windowFlags choose a time.
type windowFlags struct {
	Since string `help:"Only what began then or later: an instant (2026-11-21T09:00:00Z), or how long ago (90m)." placeholder:"WHEN"`
	Until string `help:"Only what began earlier than that." placeholder:"WHEN"`
}

func (w windowFlags) put(q url.Values, now time.Time) error {
	for name, value := range map[string]string{"since": w.Since, "until": w.Until} {
		if value == "" {
			continue
		}
		if ago, err := time.ParseDuration(value); err == nil {
			value = now.Add(-ago).UTC().Format(time.RFC3339)
		} else if _, err := time.Parse(time.RFC3339, value); err != nil {
			return usage("--%s is neither an instant nor a duration", name)
		}
		q.Set(name, value)
	}
	return nil
}

type transactionsListCmd struct {
	gatewayOperatorFlags `embed:""`
	windowFlags          `embed:""`

	Client      string `help:"Of this issuer." placeholder:"ID"`
	Route       string `help:"Of this route, as the list shows it; delivery for what the gateway did by itself." placeholder:"ROUTE"`
	Outcome     string `help:"That ended so: done, partial, aborted, failed, or the code of a problem." placeholder:"WORD"`
	Status      string `help:"With this status or class of them: 503, 5xx." placeholder:"STATUS"`
	Certificate string `help:"About this certificate." placeholder:"ID"`
	OpenHIM     string `name:"openhim" help:"That OpenHIM knows by this id." placeholder:"ID"`
	Correlation string `help:"With this correlation id." placeholder:"ID"`
	Limit       int    `default:"20" help:"At most so many; 0: all."`
}

// Help is shown by --help.
func (*transactionsListCmd) Help() string {
	return `The certificate must be that of an operator of the gateway (--operators of the gateway). The record
holds no personal data; docs/transactions.md says what it holds.

  ddcc transactions list --status 5xx --since 1h …
  ddcc transactions list --certificate 0199a1b2-… …
  ddcc transactions list --route delivery --outcome fhir-refused --json …
  ddcc transactions list --client demo-clinic --since 2026-11-21T08:00:00Z --limit 0 --json …`
}

// maxListPage is the largest page that a gateway gives.
const maxListPage = 100

// Run prints the transactions, page after page.
func (c *transactionsListCmd) Run(s streams) error {
	q := url.Values{}
	for name, value := range map[string]string{
		"client": c.Client, "route": c.Route, "outcome": c.Outcome, "status": c.Status, "certificate": c.Certificate,
		"openhim": c.OpenHIM, "correlation": c.Correlation,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if err := c.put(q, time.Now()); err != nil {
		return err
	}
	d, err := c.open(s)
	if err != nil {
		return err
	}
	out := newTransactionPrinter(s, c.JSON)
	for left := c.Limit; ; {
		size := maxListPage
		if c.Limit > 0 {
			size = min(size, left)
		}
		q.Set("_count", strconv.Itoa(size))
		var page transactionPage
		if err := d.ask(http.MethodGet, "/transactions?"+q.Encode(), &page); err != nil {
			return err
		}
		if err := out.add(page.Transactions); err != nil {
			return err
		}
		left -= len(page.Transactions)
		if page.Next == "" || c.Limit > 0 && left <= 0 {
			return out.end(page.Next != "")
		}
		q.Set("cursor", page.Next)
	}
}

type transactionsShowCmd struct {
	gatewayOperatorFlags `embed:""`

	ID string `arg:"" name:"id" help:"Id of the transaction, as 'ddcc transactions list' shows it." placeholder:"ID"`
}

// Run prints one transaction.
func (c *transactionsShowCmd) Run(s streams) error {
	var raw json.RawMessage
	if err := c.once(s, http.MethodGet, "/transactions/"+url.PathEscape(c.ID), &raw); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, raw)
	}
	var one wholeTransaction
	if err := json.Unmarshal(raw, &one); err != nil {
		return errors.New("the gateway's answer is no transaction")
	}
	return one.print(s.stdout)
}

type transactionsStatsCmd struct {
	gatewayOperatorFlags `embed:""`
	windowFlags          `embed:""`

	Client string `help:"Of this issuer." placeholder:"ID"`
	Route  string `help:"Of this route." placeholder:"ROUTE"`
}

// Help is shown by --help.
func (*transactionsStatsCmd) Help() string {
	return `Without --since it counts the last hour. A gateway counts 20,000 transactions at most, the newest.

  ddcc transactions stats …
  ddcc transactions stats --since 24h --client demo-clinic …`
}

// Run prints counts and times.
func (c *transactionsStatsCmd) Run(s streams) error {
	q := url.Values{}
	if err := c.put(q, time.Now()); err != nil {
		return err
	}
	for name, value := range map[string]string{"client": c.Client, "route": c.Route} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var raw json.RawMessage
	if err := c.once(s, http.MethodGet, "/transactions/statistics?"+q.Encode(), &raw); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, raw)
	}
	var sum transactionStatistics
	if err := json.Unmarshal(raw, &sum); err != nil {
		return errors.New("the gateway's answer is no statistic")
	}
	return sum.print(s.stdout)
}

type transactionsReplayCmd struct {
	gatewayOperatorFlags `embed:""`

	ID  string `arg:"" name:"id" help:"Id of a transaction of the route delivery." placeholder:"ID"`
	Leg int    `arg:"" name:"call" help:"Number of the failed call, as 'ddcc transactions show' shows it." placeholder:"N"`
}

// Help is shown by --help.
func (*transactionsReplayCmd) Help() string {
	return `The certificate of the delivery is delivered again, once, however often it is asked for. What comes of
it is a transaction of its own.

  ddcc transactions list --route delivery --outcome fhir-refused …
  ddcc transactions replay 0199a1b2-… 1 …

Exit code 1: the call cannot be made again, or another operator does so now.`
}

// Run asks for the replay.
func (c *transactionsReplayCmd) Run(s streams) error {
	var done struct {
		ReplayedAt time.Time `json:"replayedAt"`
		Repeated   bool      `json:"repeated"`
	}
	route := "/transactions/" + url.PathEscape(c.ID) + "/legs/" + strconv.Itoa(c.Leg) + "/$replay"
	if err := c.once(s, http.MethodPost, route, &done); err != nil {
		return err
	}
	switch {
	case c.JSON:
		return printJSON(s, done)
	case done.Repeated:
		fmt.Fprintf(s.stdout, "It was replayed at %s; nothing was done now.\n", moment(done.ReplayedAt))
	default:
		fmt.Fprintln(s.stdout, "The certificate is delivered again. `ddcc transactions list --route delivery` shows what comes of it.")
	}
	return nil
}
