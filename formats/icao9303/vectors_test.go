package icao9303

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

type nameParts struct {
	Fn, Fnt, Gn, Gnt string
}

// deviations are the published standardised names that differ from Doc 9303-3 as we read
// it, with the convention behind each.
var deviations = map[string]string{
	"mäel":       "FR drops the diaeresis: MAEL",
	"Μενεξές":    "GR in small letters writes ξ as KS: MENEKSES; in capitals, X as we do",
	"Мар'яна":    "UA doubles a letter: MARYANNA; the national YA for я in mid-word is not §6.B either",
	"STARK ":     "ES keeps a filler at the end",
	"PREZIME01":  "HR drops digits; we refuse them",
	"TEST01":     "HR drops digits; we refuse them",
	"Akdi":       "PL test data breaks the pattern: small letters in fnt",
	"Omar":       "PL test data breaks the pattern",
	"ik ben ben": "PL test data breaks the pattern: small letters and spaces",
	"IK":         "PL test data has another name in gnt",
	"TAN":        "SG repeats the given name in fnt",
}

func TestPublishedNames(t *testing.T) {
	t.Parallel()
	files := vectors.Files(t, "eu-dgc-testdata", "*", "2DCode", "[rR]aw", "*.json")
	files = append(files, vectors.Files(t, "eu-dgc-testdata", "*", "*", "2DCode", "raw", "*.json")...)
	files = append(files, vectors.Files(t, "eu-dcc-schema", "examples", "*", "*.json")...)
	files = append(files, vectors.Files(t, "eu-dcc-schema", "test", "valid", "*.json")...)
	pairs := map[[2]string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			JSON struct{ Nam nameParts }
			Nam  nameParts
		}
		if err := json.Unmarshal(bytes.TrimPrefix(content, []byte("\ufeff")), &document); err != nil {
			continue // the negative cases of the container have no payload
		}
		for _, n := range []nameParts{document.JSON.Nam, document.Nam} {
			for _, pair := range [][2]string{{n.Fn, n.Fnt}, {n.Gn, n.Gnt}} {
				if pair[0] != "" && pair[1] != "" {
					pairs[pair] = true
				}
			}
		}
	}
	agreed, deviating := 0, 0
	for pair := range pairs {
		got, err := MRZMax(pair[0], 80)
		switch {
		case err == nil && got == pair[1]:
			agreed++
		case deviations[pair[0]] != "":
			deviating++
		default:
			t.Errorf("%q: got %s (%v), published %s", pair[0], got, err, pair[1])
		}
	}
	t.Logf("%d of %d published names agree", agreed, len(pairs))
	if deviating != len(deviations) {
		t.Errorf("%d names deviate, %d are listed", deviating, len(deviations))
	}
}
