package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/verification"
)

type trustRevocationsCmd struct {
	Gateway string   `required:"" help:"Address that publishes the lists." placeholder:"https://HOST:PORT"`
	Trust   string   `required:"" help:"Trust list as published under /trust/trustlist.json; one of its keys must have signed the lists." placeholder:"FILE"`
	Out     string   `required:"" help:"Folder for the copy; ddcc verify --revocations takes it." placeholder:"DIR"`
	CA      string   `name:"ca" help:"PEM file with the CA of the server's certificate; those of the system when absent." placeholder:"FILE"`
	Slices  bool     `help:"Keep every exact list as well: with them a verifier without network is never in doubt."`
	Confirm []string `sep:"none" help:"Keep what tells about this certificate exactly: a picture, a file or a text, as for ddcc verify." placeholder:"FILE|TEXT"`
	JSON    bool     `name:"json" help:"Print the result as JSON."`
}

// Help says what to do with the folder.
func (*trustRevocationsCmd) Help() string {
	return `Keeps a folder of revocation lists up to date: the signed manifest, its filters and card
revocation lists, and on request the exact lists. What is there already is not fetched again, and a
run that broke off goes on where it stopped. Nothing is taken over that the manifest does not vouch
for, and no manifest that is older than the one in the folder.

  ddcc trust revocations --gateway https://… --trust trustlist.json --out revocation/
  ddcc verify --trust trustlist.json --revocations revocation/ dose.png

Exit codes: 0 the folder is up to date, 1 the lists could not be had or are not genuine, 2 a file
or the command line cannot be used.`
}

// revocationCopy is the result.
type revocationCopy struct {
	Sequence          uint64    `json:"sequence"`
	Country           string    `json:"country"`
	IssuedAt          time.Time `json:"issuedAt"`
	NextUpdate        time.Time `json:"nextUpdate"`
	Fresh             bool      `json:"fresh"`
	Revocations       int64     `json:"revocations"`
	FalsePositiveRate float64   `json:"falsePositiveRate"` // of the filters alone
	Files             int       `json:"files"`             // that were fetched
	Bytes             int64     `json:"bytes"`             // of them
}

// changes is how often a publication may change while it is being copied.
const changes = 3

// Run makes the copy.
func (c *trustRevocationsCmd) Run(s streams) error {
	v, err := trustFlags{Trust: c.Trust}.verifier(s)
	if err != nil {
		return err
	}
	client, err := openPublic(c.CA)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.Out, partialDir), 0o700); err != nil {
		return usage("--out: %v", err)
	}
	m := &mirror{ctx: s.ctx, base: c.Gateway, http: client, dir: c.Out, keys: v.List, now: time.Now}
	manifest, err := m.update(changes)
	if err == nil && c.Slices {
		err = m.allSlices(manifest)
	}
	if err == nil && len(c.Confirm) > 0 {
		err = c.confirm(s, m, v, manifest)
	}
	if err != nil {
		if refusal := fault.From(err); refusal.Kind != fault.Internal {
			fmt.Fprintf(s.stderr, "ddcc: NOT TAKEN (%s) %s%s\n", refusal.Code, refusal.Detail, issuesOf(err))
			return errNegative
		}
		return err
	}
	return c.print(s, revocationCopy{
		Sequence: manifest.Sequence, Country: manifest.Country, IssuedAt: manifest.IssuedAt, NextUpdate: manifest.NextUpdate,
		Fresh: revocation.Stale(manifest, time.Now()) == nil, Revocations: manifest.Revocations, FalsePositiveRate: manifest.FalsePositiveRate,
		Files: m.files, Bytes: m.bytes,
	})
}

// confirm asks about certificates and keeps the slices that were needed for the answers.
func (c *trustRevocationsCmd) confirm(s streams, m *mirror, v *verification.Verifier, manifest formats.Manifest) error {
	set, err := revocation.Load(os.DirFS(c.Out), m.keys, time.Now())
	if err != nil {
		return err
	}
	var failed error
	v.Revocations = set.WithSlices(func(kid formats.KID, prefix []byte) ([]byte, error) {
		raw, err := m.slice(manifest, kid, prefix)
		if err != nil {
			failed = err
		}
		return raw, err
	})
	for _, name := range c.Confirm {
		input, err := readCertificate(s, name)
		if err != nil {
			return err
		}
		for _, text := range append(input.cards, input.text) {
			if text != "" {
				v.VerifyText(text) // the answer is for ddcc verify to give
			}
		}
		if len(input.chunks) > 0 {
			v.VerifyChunks(input.chunks)
		}
		if input.document != nil {
			v.VerifyDocument(input.document)
		}
	}
	return failed
}

func (c *trustRevocationsCmd) print(s streams, r revocationCopy) error {
	if !r.Fresh {
		fmt.Fprintf(s.stderr, "ddcc: the gateway publishes old lists; they should have been replaced by %s\n", instant(r.NextUpdate))
	}
	if c.JSON {
		return printJSON(s, r)
	}
	fmt.Fprintf(s.stdout, "UP TO DATE %s, sequence %d of %s\n  revoked    %d certificates\n  next       by %s\n  fetched    %d files, %d bytes\n",
		r.Country, r.Sequence, instant(r.IssuedAt), r.Revocations, instant(r.NextUpdate), r.Files, r.Bytes)
	return nil
}

// openPublic makes a client for what anybody may fetch.
func openPublic(ca string) (*http.Client, error) {
	config, err := serverTrust(ca)
	if err != nil {
		return nil, err
	}
	return &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, Proxy: http.ProxyFromEnvironment}}, nil
}
