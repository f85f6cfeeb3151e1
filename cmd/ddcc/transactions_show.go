package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// transactionPage is the answer to a search.
type transactionPage struct {
	Transactions []json.RawMessage
	Next         string
}

// oneTransaction is what a list shows of a transaction.
type oneTransaction struct {
	ID, Client, ClientUnknown, Peer, Via, OpenhimTransaction, Correlation string
	Method, Route, Outcome, Parent                                        string
	Started                                                               time.Time
	DurationMicros                                                        int64
	Status, FailedEntries, CertificatesOmitted, LegsOmitted               int
	ClientGone, Replayed                                                  bool
	Certificates                                                          []string
	Request, Response                                                     transactionBody
}

type transactionBody struct {
	Size         int64
	Digest, Kept string
}

// wholeTransaction also has the calls.
type wholeTransaction struct {
	oneTransaction

	Calls []struct {
		Peer, Host string
		Legs       []struct {
			N                  int
			Name, Method, Path string
			Failure            string
			DurationMicros     int64
			Status             int
			Request, Response  transactionBody
		}
	}
}

// transactionPrinter prints transactions as they come: a table for people, with --json one
// line each.
type transactionPrinter struct {
	s     streams
	json  bool
	table *tabwriter.Writer
	n     int
}

func newTransactionPrinter(s streams, asJSON bool) *transactionPrinter {
	return &transactionPrinter{s: s, json: asJSON, table: tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)}
}

func (p *transactionPrinter) add(page []json.RawMessage) error {
	for _, raw := range page {
		if p.json {
			fmt.Fprintf(p.s.stdout, "%s\n", raw)
			continue
		}
		var t oneTransaction
		if err := json.Unmarshal(raw, &t); err != nil {
			return errors.New("the gateway's answer is no list of transactions")
		}
		if p.n == 0 {
			fmt.Fprintln(p.table, "STARTED\tID\tCLIENT\tROUTE\tSTATUS\tOUTCOME\tTIME")
		}
		p.n++
		fmt.Fprintf(p.table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", moment(t.Started), t.ID, t.who(), t.Route, t.status(), t.outcome(), inMillis(t.DurationMicros))
	}
	return nil
}

func (p *transactionPrinter) end(more bool) error {
	switch {
	case p.json:
		return nil
	case p.n == 0:
		fmt.Fprintln(p.s.stdout, "No transaction matches.")
		return nil
	}
	if err := p.table.Flush(); err != nil {
		return err
	}
	if more {
		fmt.Fprintln(p.s.stderr, "There are more; use --limit, --since and --until.")
	}
	return nil
}

func (t oneTransaction) who() string {
	if t.Client != "" {
		return t.Client
	}
	return "(" + t.ClientUnknown + ")"
}

func (t oneTransaction) status() string {
	if t.Status == 0 {
		return "-"
	}
	return strconv.Itoa(t.Status)
}

func (t oneTransaction) outcome() string {
	if t.Replayed {
		return t.Outcome + " (replayed)"
	}
	return t.Outcome
}

func inMillis(micros int64) string { return fmt.Sprintf("%.1f ms", float64(micros)/1000) }

func (b transactionBody) String() string {
	text := strconv.FormatInt(b.Size, 10) + " bytes"
	if b.Digest != "" {
		text += ", digest " + b.Digest[:min(16, len(b.Digest))]
	}
	if b.Kept != "" {
		text += ", " + b.Kept
	}
	return text
}

// print shows a transaction and, below each system, the calls of it.
func (t wholeTransaction) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	row("transaction", t.ID)
	row("started", moment(t.Started))
	row("time", inMillis(t.DurationMicros))
	row("client", t.who())
	row("certificate name", t.Peer)
	row("via", t.Via)
	row("OpenHIM", t.OpenhimTransaction)
	row("correlation", t.Correlation)
	row("request", strings.TrimSpace(t.Method+" "+t.Route)+", "+t.Request.String())
	row("answer", t.status()+" "+t.outcome()+", "+t.Response.String())
	row("failed entries", positive(t.FailedEntries))
	row("before it", t.Parent)
	for _, id := range t.Certificates {
		row("certificate", id)
	}
	row("certificates left out", positive(t.CertificatesOmitted))
	for _, c := range t.Calls {
		fmt.Fprintf(w, "\n%s\t%s\n", c.Peer, c.Host)
		for _, l := range c.Legs {
			end := strconv.Itoa(l.Status)
			if l.Failure != "" {
				end = strings.TrimPrefix(end+" "+l.Failure, "0 ")
			}
			fmt.Fprintf(w, "  %d\t%s: %s %s\t%s\t%s\tsent %d, got %d bytes\n", l.N, l.Name, l.Method, l.Path, end, inMillis(l.DurationMicros), l.Request.Size, l.Response.Size)
		}
	}
	row("calls left out", positive(t.LegsOmitted))
	return w.Flush()
}

// positive is a number for people, nothing for none.
func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// transactionStatistics is the answer about counts.
type transactionStatistics struct {
	From, Until time.Time
	Counted     int
	Complete    bool
	Groups      []struct {
		Route, Outcome                             string
		Count                                      int
		P50Micros, P95Micros, P99Micros, MaxMicros int64
	}
}

func (t transactionStatistics) print(out io.Writer) error {
	fmt.Fprintf(out, "%d transactions from %s to %s\n", t.Counted, moment(t.From), moment(t.Until))
	if !t.Complete {
		fmt.Fprintln(out, "The window has more; these are the newest.")
	}
	if len(t.Groups) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nROUTE\tOUTCOME\tCOUNT\tP50\tP95\tP99\tMAX")
	for _, g := range t.Groups {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", g.Route, g.Outcome, g.Count,
			inMillis(g.P50Micros), inMillis(g.P95Micros), inMillis(g.P99Micros), inMillis(g.MaxMicros))
	}
	return w.Flush()
}
