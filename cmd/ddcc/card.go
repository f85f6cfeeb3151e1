package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
)

type cardCmd struct {
	gatewayFlags `embed:""`

	ID       string `arg:"" help:"Id of a document, as issue names its files." placeholder:"ID"`
	Language string `default:"en" help:"Language of the page, BCP 47; the nearest there is is used." placeholder:"TAG"`
	Out      string `help:"Where the PDF goes; ID.card.pdf when absent, - for standard output." placeholder:"FILE"`
}

// Help is shown by --help.
func (*cardCmd) Help() string {
	return `The card holds every event of the document's folder, oldest first, each with the QR codes of
all its formats. It is drawn when it is asked for, so that a revoked certificate is not on it.

  ddcc card 01a1fda6-4a25-7165-a053-9ba7f78969a6 --language ar --out card.pdf …`
}

// Run fetches the card.
func (c *cardCmd) Run(s streams) error {
	i, err := c.open()
	if err != nil {
		return err
	}
	a, err := i.get(s.ctx, "/ddcc/Bundle/"+url.PathEscape(c.ID)+"/$card?"+url.Values{"language": {c.Language}}.Encode())
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		fmt.Fprintf(s.stderr, "REFUSED (%d)\n", a.status)
		printOutcome(s.stderr, a.body)
		return errNegative
	}
	switch c.Out {
	case "-":
		_, err = s.stdout.Write(a.body)
		return err
	case "":
		c.Out = c.ID + ".card.pdf" // an id the gateway knows is a UUID
	}
	if err := os.WriteFile(c.Out, a.body, 0o600); err != nil {
		return usage("%v", err)
	}
	fmt.Fprintf(s.stdout, "%s, %d bytes\n", c.Out, len(a.body))
	return nil
}
