package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

type issueCmd struct {
	gatewayFlags `embed:""`

	File     string   `arg:"" help:"FHIR JSON: a QuestionnaireResponse, Parameters, a resources Bundle or a batch; - for standard input." placeholder:"FILE"`
	Format   []string `enum:"${formats}" help:"A format beside WHO's own: ${formats}. Repeat it. Without any, those of the issuer's entry in the gateway." placeholder:"NAME"`
	Out      string   `default:"." help:"Directory for what comes back: ID.document.json, and ID.FORMAT.txt and .png for each certificate." placeholder:"DIR"`
	Card     bool     `help:"Keep the holder's printed card of each folder, too: FOLDER.card.pdf."`
	Language string   `default:"en" help:"Language of the card, BCP 47." placeholder:"TAG"`
	Dry      bool     `help:"Validate only: nothing is issued."`

	bulkFlags `embed:""`
}

// Help is shown by --help.
func (*issueCmd) Help() string {
	return `One health event, or a batch of them, becomes one signed document an event, with a certificate
in each format inside. WHO's own is always among them. A format that cannot say an event is
left out and the reason is shown; the others are issued.

  ddcc issue --format dcc --format shc --card --language fr event.json …

The same file sent again gives the same certificates, so a run that broke off can be repeated.

  ddcc issue --bulk --out results … events.ndjson

sends a file of any size with an event a line. It leaves FILE.results.ndjson and FILE.errors.ndjson,
a line for each line of FILE and in its order. A run that was killed goes on where it was
when the same command is given again (FILE.progress.json says where).
Exit code 1: the gateway refused the file or an entry of the batch.`
}

// Run posts the file to the route for what it is.
func (c *issueCmd) Run(s streams) error {
	if c.Bulk {
		return c.bulk(s)
	}
	raw, err := readFile(s, c.File)
	if err != nil {
		return err
	}
	route, batch, err := route(raw, c.Dry)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil { //nolint:gosec // a folder of the user's choice
		return usage("%v", err)
	}
	i, err := c.open()
	if err != nil {
		return err
	}
	a, err := i.post(s.ctx, route+formatQuery(c.Format), raw)
	if err != nil {
		return err
	}
	if c.Dry || a.status >= http.StatusMultipleChoices {
		fmt.Fprintf(s.stdout, "%s\n", a.body)
		if a.status >= http.StatusMultipleChoices {
			return errNegative
		}
		return nil
	}
	k := keeper{streams: s, dir: c.Out}
	if batch {
		err = k.storeAll(a.body)
	} else {
		err = k.storeOne(a)
	}
	if err != nil && !errors.Is(err, errNegative) || !c.Card {
		return err
	}
	return errors.Join(err, k.cards(i, c.Language))
}

func formatQuery(formats []string) string {
	if len(formats) == 0 {
		return ""
	}
	return "?" + url.Values{"format": formats}.Encode()
}

// keeper writes what a gateway issued.
type keeper struct {
	streams
	dir string
	ids []string // of the documents, in the order they came
}

// storeOne keeps the answer to a single event: the document, or Parameters around it.
func (k *keeper) storeOne(a answer) error {
	var p parameters
	if err := json.Unmarshal(a.body, &p); err != nil {
		return fmt.Errorf("the gateway's answer: %w", err)
	}
	status := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	if p.ResourceType != "Parameters" {
		return k.store(1, status, a.body, nil)
	}
	return k.store(1, status, find(p.Parameter, "return").Resource, find(p.Parameter, "outcome").Resource)
}

func (k *keeper) storeAll(body []byte) error {
	var response batchResponse
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("the gateway's answer: %w", err)
	}
	var failed error
	for n, entry := range response.Entry {
		if entry.Resource == nil && strings.HasPrefix(entry.Response.Status, "200") {
			fmt.Fprintf(k.stdout, "entry %d: %s, the same event as an earlier entry\n", n+1, entry.Response.Status)
			continue
		}
		if entry.Resource == nil {
			fmt.Fprintf(k.stdout, "entry %d: %s\n%s\n", n+1, entry.Response.Status, entry.Response.Outcome)
			failed = errNegative
			continue
		}
		if err := k.store(n+1, entry.Response.Status, entry.Resource, entry.Response.Outcome); err != nil {
			return err
		}
	}
	return failed
}

// store writes one document and says what is in it, and what was left out.
func (k *keeper) store(n int, status string, raw, outcome []byte) error {
	doc, err := readDocument(raw)
	if err != nil {
		return err
	}
	files, err := keepDocument(raw, doc, inFolder(k.dir, doc.ID))
	if err != nil {
		return err
	}
	k.ids = append(k.ids, doc.ID)
	fmt.Fprintf(k.stdout, "entry %d: %s, %s\n", n, status, files.document)
	for i, reference := range doc.References {
		fmt.Fprintf(k.stdout, "  %-12s %s, %d characters\n", reference.Format, files.texts[i], len(reference.Text))
	}
	if outcome != nil {
		printOutcome(k.stdout, outcome)
	}
	return nil
}

// cards fetches the card of each folder, once.
func (k *keeper) cards(i *issuer, language string) error {
	seen := map[string]bool{}
	for _, id := range k.ids {
		folder, err := i.folder(k.ctx, id)
		if err != nil {
			return err
		}
		if seen[folder] {
			continue
		}
		seen[folder] = true
		pdf, err := i.card(k.ctx, id, language)
		if err != nil {
			return err
		}
		path := filepath.Join(k.dir, filepath.Base(folder)+".card.pdf")
		if err := os.WriteFile(path, pdf, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(k.stdout, "card %s\n", path)
	}
	return nil
}

// route finds the operation for a resource, or its dry run.
func route(raw []byte, dry bool) (path string, batch bool, err error) {
	var resource struct{ ResourceType, Type string }
	if err := json.Unmarshal(raw, &resource); err != nil {
		return "", false, usage("the file is not FHIR JSON")
	}
	switch {
	case resource.ResourceType == "Bundle" && resource.Type == "batch":
		return choose(dry, "/ddcc/submitHealthEvent/$validate", "/ddcc/submitHealthEvent"), true, nil
	case resource.ResourceType == "Bundle":
		return choose(dry, "/ddcc/Bundle/$validate", "/ddcc/Bundle/$generateHealthCertificate"), false, nil
	default:
		return choose(dry, "/ddcc/generateHealthCertificate/$validate", "/ddcc/generateHealthCertificate"), false, nil
	}
}

func choose(dry bool, validate, generate string) string {
	if dry {
		return validate
	}
	return generate
}

// maxFile bounds what is read of a file or standard input, in bytes.
const maxFile = 64 << 20

func readFile(s streams, name string) ([]byte, error) {
	in := s.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, usage("%v", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(raw) > maxFile {
		err = errors.New("larger than 64 MiB")
	}
	if err != nil {
		return nil, usage("%s: %v", name, err)
	}
	return raw, nil
}
