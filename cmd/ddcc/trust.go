package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
)

// trustCmd are the commands about trust lists and revocation lists. They hold no key and sign nothing.
type trustCmd struct {
	Import  trustImportCmd  `cmd:"" help:"Put a trust list of others into the folder of a gateway, if it is authentic."`
	Status  trustStatusCmd  `cmd:"" help:"Show how fresh the imported trust lists of others are."`
	Inspect trustInspectCmd `cmd:"" help:"Say what an import would do, without doing it."`
	Show    trustShowCmd    `cmd:"" help:"Show what a published trust list says: keys, states, dates, who signed it."`

	Revocations trustRevocationsCmd `cmd:"" help:"Keep a copy of the revocation lists of a gateway, for verifiers without network."`
}

// foreignTimeout is for the wiring alone: these commands fetch nothing.
const foreignTimeout = time.Minute

// readSources reads the file of sources.
func readSources(path string) ([]foreign.Source, error) {
	sources, err := foreign.ReadSources(path, foreignTimeout, time.Now)
	if err != nil {
		return nil, usage("%v", err)
	}
	return sources, nil
}

// openForeign opens the folder that a gateway keeps, or one of one's own. What is wrong
// with a document in it is in the status of its source.
func openForeign(sourcesPath, dir string) (*foreign.Store, error) {
	sources, err := readSources(sourcesPath)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usage("%s is not a folder; name the one of the gateway (its data directory and /foreign), or make one with mkdir -m 700", dir)
	}
	// The shortest interval there can be: how often a gateway fetches is not our concern.
	store, err := foreign.New(foreign.Config{
		Dir: dir, Sources: sources, Interval: 1, Retry: 1, Timeout: foreignTimeout,
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, usage("%v", err)
	}
	return store, nil
}

// foreignDocument is one document of one source, as the user names them.
type foreignDocument struct {
	Sources string `arg:"" help:"File that describes the sources (docs/foreign-trust.md)." placeholder:"SOURCES"`
	Name    string `arg:"" help:"Name of the source in that file." placeholder:"NAME"`
	File    string `arg:"" help:"The document, or - for standard input." placeholder:"FILE"`
}

// importReport is the outcome of an import or of what would be one.
type importReport struct {
	Source    string         `json:"source"`
	Accepted  bool           `json:"accepted"`
	SHA256    string         `json:"sha256"` // of the document
	Entries   int            `json:"entries"`
	Anchors   int            `json:"anchors"`
	Keys      int            `json:"keys"` // without certificate
	Countries []string       `json:"countries"`
	Created   time.Time      `json:"created,omitzero"`
	Skipped   []skippedEntry `json:"skipped"`
	Code      string         `json:"code,omitempty"` // of the refusal
	Detail    string         `json:"detail,omitempty"`
	Cause     string         `json:"cause,omitempty"`
}

// skippedEntry is a key that is not used.
type skippedEntry struct {
	KID    string `json:"kid,omitempty"`
	From   string `json:"from,omitempty"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

func newImportReport(name string, raw []byte, r foreign.Report, err error) importReport {
	sum := sha256.Sum256(raw)
	out := importReport{
		Source: name, Accepted: err == nil, SHA256: hex.EncodeToString(sum[:]), Entries: r.Entries, Anchors: r.Anchors,
		Keys: r.Keys, Countries: slices.Concat([]string{}, r.Countries), Created: r.Created, Skipped: []skippedEntry{},
	}
	for _, skip := range r.Skipped {
		out.Skipped = append(out.Skipped, skippedEntry(skip))
	}
	if err != nil {
		refusal := fault.From(err)
		out.Code, out.Detail = refusal.Code, refusal.Detail
		if cause := refusal.Unwrap(); cause != nil {
			out.Cause = cause.Error()
		}
	}
	return out
}

// print shows the report and turns a refusal into the exit code.
func (r importReport) print(s streams, asJSON bool, done string) error {
	if asJSON {
		if err := printJSON(s, r); err != nil {
			return err
		}
	} else {
		r.write(s, done)
	}
	if !r.Accepted {
		return errNegative
	}
	return nil
}

func (r importReport) write(s streams, done string) {
	if r.Accepted {
		fmt.Fprintf(s.stdout, "%s\n", done)
	} else {
		fmt.Fprintf(s.stdout, "REFUSED (%s) %s\n", r.Code, r.Detail)
		if r.Cause != "" {
			fmt.Fprintf(s.stdout, "  cause      %q\n", r.Cause)
		}
	}
	fmt.Fprintf(s.stdout, "  source     %s\n  SHA-256    %s\n", r.Source, r.SHA256)
	if !r.Created.IsZero() {
		fmt.Fprintf(s.stdout, "  signed     %s\n", moment(r.Created))
	}
	fmt.Fprintf(s.stdout, "  keys       %d of document signers, %d of CSCAs, %d without certificate\n", r.Entries, r.Anchors, r.Keys)
	if len(r.Countries) > 0 {
		fmt.Fprintf(s.stdout, "  countries  %s\n", strings.Join(r.Countries, " "))
	}
	for _, skip := range r.Skipped {
		fmt.Fprintf(s.stdout, "  skipped    %q of %q: %s: %s\n", skip.KID, skip.From, skip.Reason, skip.Detail)
	}
}

type trustImportCmd struct {
	foreignDocument
	Dir         string `required:"" env:"DDCC_FOREIGN_DIR" help:"Folder of the imported lists: that of the gateway is its data directory and /foreign." placeholder:"DIR"`
	AllowShrink bool   `help:"Accept a list that lost more than 20 % of its keys. First find out why it did."`
	JSON        bool   `name:"json" help:"Print the outcome as JSON."`
}

// Help teaches the order of the steps.
func (c *trustImportCmd) Help() string {
	return `The list is imported only if it is authentic by what the file of sources demands, and all or nothing:
after a refusal the last good list stays. A running gateway takes it up within a minute. Run this
as the user of the gateway, who must be able to read the file.

  1. Get the list, and its key, anchor or digest on another way than the list itself.
  2. Describe the source in the file of sources (docs/foreign-trust.md).
  3. ddcc trust inspect sources.json neighbour did.json     shows what would happen
  4. ddcc trust import sources.json neighbour did.json --dir /var/lib/gateway/foreign
  5. ddcc trust status sources.json --dir /var/lib/gateway/foreign

Exit codes: 0 imported, 1 refused, 2 a file or the command line cannot be used.`
}

// Run imports one document.
func (c *trustImportCmd) Run(s streams) error {
	store, err := openForeign(c.Sources, c.Dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(store.Status(), func(status foreign.Status) bool { return status.Name == c.Name }) {
		return unknownSource(c.Name, store.Status())
	}
	raw, err := readFile(s, c.File)
	if err != nil {
		return err
	}
	report, err := store.Import(c.Name, raw, foreign.ImportOptions{AllowShrink: c.AllowShrink})
	if err != nil && fault.KindOf(err) == fault.Internal { // the folder, not the document
		return err
	}
	return newImportReport(c.Name, raw, report, err).print(s, c.JSON, "IMPORTED. A running gateway takes it up within a minute.")
}

func unknownSource(name string, known []foreign.Status) error {
	names := make([]string, len(known))
	for i, status := range known {
		names[i] = status.Name
	}
	return usage("there is no source %q; the file describes: %s", name, strings.Join(names, ", "))
}

type trustInspectCmd struct {
	foreignDocument
	JSON bool `name:"json" help:"Print the outcome as JSON."`
}

// Help says what to do with the digest.
func (c *trustInspectCmd) Help() string {
	return `Nothing is changed. Compare the SHA-256 with somebody who got the list on another way, e.g. by
telephone; then it may go into "digests" of the source. What the list replaces, and whether it is
much shorter or older, only the import can say.

Exit codes: 0 it would be imported, 1 it would be refused, 2 a file or the command line cannot be used.`
}

// Run takes one document apart.
func (c *trustInspectCmd) Run(s streams) error {
	sources, err := readSources(c.Sources)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(sources, func(source foreign.Source) bool { return source.Name == c.Name })
	if at < 0 {
		known := make([]foreign.Status, len(sources))
		for i := range sources {
			known[i].Name = sources[i].Name
		}
		return unknownSource(c.Name, known)
	}
	raw, err := readFile(s, c.File)
	if err != nil {
		return err
	}
	report, err := foreign.Inspect(raw, sources[at])
	return newImportReport(c.Name, raw, report, err).print(s, c.JSON, "AUTHENTIC. Nothing was changed: this was a look.")
}

type trustStatusCmd struct {
	Sources string `arg:"" help:"File that describes the sources (docs/foreign-trust.md)." placeholder:"SOURCES"`
	Dir     string `required:"" env:"DDCC_FOREIGN_DIR" help:"Folder of the imported lists: that of the gateway is its data directory and /foreign." placeholder:"DIR"`
	JSON    bool   `name:"json" help:"Print the status as JSON."`
}

// Help explains the words.
func (c *trustStatusCmd) Help() string {
	return `Every list is checked again as a gateway does when it starts. FRESH lists are used. STALE ones
are silent: there is none, it is too old, or it is not authentic by the present file of sources.

Exit codes: 0 all are fresh, 1 one is stale, 2 a file or the command line cannot be used.`
}

// sourceStatus is the JSON form of the status of a source.
type sourceStatus struct {
	Name     string         `json:"name"`
	Format   foreign.Format `json:"format"`
	Fresh    bool           `json:"fresh"`
	Imported time.Time      `json:"imported,omitzero"`
	Entries  int            `json:"entries"`
	Keys     int            `json:"keys"`
	Skipped  map[string]int `json:"skipped"`
	Failure  string         `json:"failure,omitempty"`
}

// Run shows every source.
func (c *trustStatusCmd) Run(s streams) error {
	store, err := openForeign(c.Sources, c.Dir)
	if err != nil {
		return err
	}
	all, stale := []sourceStatus{}, false
	for _, status := range store.Status() {
		one := sourceStatus{
			Name: status.Name, Format: status.Format, Fresh: !status.Stale, Imported: status.Imported,
			Entries: status.Entries, Keys: status.Keys, Skipped: status.Skipped,
		}
		if status.Failure != nil {
			one.Failure = status.Failure.Error()
		}
		all, stale = append(all, one), stale || status.Stale
	}
	if c.JSON {
		err = printJSON(s, all)
	} else {
		for _, one := range all {
			one.write(s)
		}
	}
	if err == nil && stale {
		err = errNegative
	}
	return err
}

func (o sourceStatus) write(s streams) {
	word, when := "STALE", "never"
	if o.Fresh {
		word = "FRESH"
	}
	if !o.Imported.IsZero() {
		when = moment(o.Imported)
	}
	fmt.Fprintf(s.stdout, "%s %s (%s)\n  imported   %s\n  keys       %d of document signers, %d without certificate\n", word, o.Name, o.Format, when, o.Entries, o.Keys)
	for _, reason := range slices.Sorted(maps.Keys(o.Skipped)) {
		fmt.Fprintf(s.stdout, "  skipped    %d: %s\n", o.Skipped[reason], reason)
	}
	if o.Failure != "" {
		fmt.Fprintf(s.stdout, "  failure    %q\n", o.Failure)
	}
}
