package wallet_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/wallet"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestCardIsRefused(t *testing.T) {
	t.Parallel()
	const secret = "Sentinel"
	for rule, changes := range map[string][]func(*wallet.Card){
		"wallet-id": {
			func(c *wallet.Card) { c.ID = "" },
			func(c *wallet.Card) { c.ID = secret + "/1" },
			func(c *wallet.Card) { c.ID = strings.Repeat("a", 65) },
		},
		"wallet-format": {
			func(c *wallet.Card) { c.Format, c.Text = "vdsnc", `{"data":{}}` },
			func(c *wallet.Card) { c.Format = secret },
			func(c *wallet.Card) { c.Format = "" },
		},
		"wallet-text": {
			func(c *wallet.Card) { c.Text = "" },
			func(c *wallet.Card) { c.Text = "HC1:" },
			func(c *wallet.Card) { c.Text = "HC1:" + secret },
			func(c *wallet.Card) { c.Text = "HC2:ABC" },
			func(c *wallet.Card) { c.Format = "shc" },
			func(c *wallet.Card) { c.Format, c.Text = "shc", "shc:/567" },
			func(c *wallet.Card) { c.Format, c.Text = "shc", "shc:/1/2/5676" },
			func(c *wallet.Card) { c.Text = "shc:/5676" },
		},
		"wallet-text-length": {func(c *wallet.Card) { c.Text = "HC1:" + strings.Repeat("A", wallet.MaxText-3) }},
		"wallet-required": {
			func(c *wallet.Card) { c.Name = "" }, func(c *wallet.Card) { c.Title = "" }, func(c *wallet.Card) { c.Issuer = "" },
			func(c *wallet.Card) { c.Rows = []wallet.Row{{"", secret}} }, func(c *wallet.Card) { c.Rows = []wallet.Row{{secret, ""}} },
		},
		"wallet-utf8":       {func(c *wallet.Card) { c.Name = secret + "\xff" }},
		"wallet-length":     {func(c *wallet.Card) { c.Title = secret + strings.Repeat("é", wallet.MaxLine) }},
		"wallet-control":    {func(c *wallet.Card) { c.Name = secret + "\x00" }, func(c *wallet.Card) { c.Issuer = secret + "\u0085" }},
		"wallet-birth-date": {func(c *wallet.Card) { c.BirthDate = secret }, func(c *wallet.Card) { c.BirthDate = "02/01/1990" }},
		"wallet-expired":    {func(c *wallet.Card) { c.ExpiresAt = now }},
		"wallet-language":   {func(c *wallet.Card) { c.Language = secret + "-" }},
		"wallet-rows":       {func(c *wallet.Card) { c.Rows = slices.Repeat([]wallet.Row{{secret, secret}}, wallet.MaxRows+1) }},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			for i, change := range changes {
				c := specimenCard(t)
				change(&c)
				raw, err := apple(specimenRSA(), nil).Pass(t.Context(), c, now)
				_, sameErr := google().JWT(t.Context(), c, now)
				var f *fault.Error
				if !errors.As(err, &f) || f.Kind != fault.Rule || len(f.Issues) != 1 || f.Issues[0].Rule != rule || raw != nil {
					t.Fatalf("%d: %v %+v", i, err, f)
				}
				if fault.KindOf(sameErr) != fault.Rule {
					t.Errorf("%d: Google's pass has other rules", i)
				}
				if issue := f.Issues[0]; strings.Contains(issue.Detail+issue.Fix+f.Error(), secret) || issue.Path == "" || issue.Fix == "" {
					t.Errorf("%d: the issue repeats a value, or lacks path or fix", i)
				}
			}
		})
	}
}

// All findings come at once.
func TestEveryFindingAtOnce(t *testing.T) {
	t.Parallel()
	_, err := apple(specimenRSA(), nil).Pass(t.Context(), wallet.Card{}, now)
	if f := fault.From(err); len(f.Issues) != 5 {
		t.Errorf("%+v", f.Issues)
	}
}

func TestEveryFormatOfACode(t *testing.T) {
	t.Parallel()
	for format, text := range map[string]string{
		"who": specimenText(t), "dcc": "HC1:6BF 9$%*+-./:", "dcc-recovery": "HC1:6BF", "icvp": "HC1:6BF", "shc": "shc:/5676",
	} {
		c := specimenCard(t)
		c.Format, c.Text = format, text
		mustPass(t, apple(specimenRSA(), nil), c)
	}
}

var stringsLine = regexp.MustCompile(`(?m)^"([^"\\]+)" = "([^"\\]+)";$`)

// Every label of a pass is translated into each language, and nothing else is.
func TestLabelsAreTranslated(t *testing.T) {
	t.Parallel()
	c := specimenCard(t)
	c.BirthDate = "1990"
	files := unpack(t, mustPass(t, apple(specimenRSA(), nil), c))
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(?:label|description)":"([^"]+)"`).FindAllSubmatch(files["pass.json"], -1) {
		used[string(m[1])] = true
	}
	note := regexp.MustCompile(`"label":"Note","value":"([^"]+)"`).FindSubmatch(files["pass.json"])
	if note == nil {
		t.Fatal("no note")
	}
	used[string(note[1])] = true
	languages := 0
	for name, raw := range files {
		if !strings.HasSuffix(name, "/pass.strings") {
			continue
		}
		languages++
		words := map[string]bool{}
		for _, m := range stringsLine.FindAllSubmatch(raw, -1) {
			words[string(m[1])] = true
			if same := bytes.Equal(m[1], m[2]); same && name != "en.lproj/pass.strings" {
				t.Errorf("%s: %q is not translated", name, m[1])
			}
		}
		if bytes.Count(raw, []byte("\n")) != len(words) || !maps.Equal(words, used) {
			t.Errorf("%s: %d lines, %d keys, want %d", name, bytes.Count(raw, []byte("\n")), len(words), len(used))
		}
	}
	if languages != 6 {
		t.Errorf("%d languages", languages)
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	files := unpack(t, mustPass(t, apple(specimenRSA(), nil), specimenCard(t)))
	for name, size := range map[string]int{"icon.png": 29, "icon@2x.png": 58, "icon@3x.png": 87, "logo.png": 50, "logo@2x.png": 100} {
		img, err := png.Decode(bytes.NewReader(files[name]))
		if err != nil || img.Bounds() != image.Rect(0, 0, size, size) {
			t.Fatalf("%s: %v", name, err)
		}
		light := 0
		for y := range size {
			for x := range size {
				if r, _, _, _ := img.At(x, y).RGBA(); r > 0xc000 {
					light++
				}
			}
		}
		if share := light * 100 / (size * size); share < 20 || share > 40 {
			t.Errorf("%s: %d %% light", name, share)
		}
	}
}
