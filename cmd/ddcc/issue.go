package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

type issueCmd struct {
	gatewayFlags `embed:""`

	File string `arg:"" help:"FHIR JSON: a QuestionnaireResponse, Parameters, a resources Bundle or a batch; - for standard input." placeholder:"FILE"`
	Out  string `default:"." help:"Directory for the documents that come back." placeholder:"DIR"`
	Dry  bool   `help:"Validate only: nothing is issued."`
}

// Run posts the file to the route for what it is.
func (c *issueCmd) Run(s streams) error {
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
	a, err := i.post(s.ctx, route, raw)
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
	if !batch {
		return c.store(s, 1, http.StatusText(a.status), a.body)
	}
	return c.storeAll(s, a.body)
}

func (c *issueCmd) storeAll(s streams, body []byte) error {
	var response batchResponse
	if err := json.Unmarshal(body, &response); err != nil {
		return fmt.Errorf("the gateway's answer: %w", err)
	}
	var failed error
	for n, entry := range response.Entry {
		if entry.Resource == nil && strings.HasPrefix(entry.Response.Status, "200") {
			fmt.Fprintf(s.stdout, "entry %d: %s, the same event as an earlier entry\n", n+1, entry.Response.Status)
			continue
		}
		if entry.Resource == nil {
			fmt.Fprintf(s.stdout, "entry %d: %s\n%s\n", n+1, entry.Response.Status, entry.Response.Outcome)
			failed = errNegative
			continue
		}
		if err := c.store(s, n+1, entry.Response.Status, entry.Resource); err != nil {
			return err
		}
	}
	return failed
}

func (c *issueCmd) store(s streams, n int, status string, raw []byte) error {
	doc, err := readDocument(raw)
	if err != nil {
		return err
	}
	path := filepath.Join(c.Out, filepath.Base(doc.ID)+".document.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "entry %d: %s, %s\n", n, status, path)
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
