package interop

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// verifies has a peer check our certificates of these profiles, and forged copies.
func verifies(script string, profiles []string) func(*testing.T, *system) string {
	return func(t *testing.T, s *system) string {
		var genuine, forged []item
		for _, profile := range profiles {
			text := s.certificates[profile].text
			genuine, forged = append(genuine, item{Text: text}), append(forged, item{Text: forge(t, text)})
		}
		answers, result := s.judge(t, script, s.keys(t), genuine, forged, unsigned)
		for i, a := range answers {
			if a.Accepted {
				a.compare(t, s.certificates[profiles[i]])
				said(t, profiles[i], a.Content)
			}
		}
		return result
	}
}

// judge requires that a peer accepts all that is genuine and no bad copy, those for the
// right reason. It gives the answers about the genuine ones, and the result in words.
func (s *system) judge(t *testing.T, script string, r request, genuine, bad []item, because *regexp.Regexp) ([]answer, string) {
	t.Helper()
	r.Items = slices.Concat(genuine, bad)
	answers := s.ask(t, script, r, "NODE_EXTRA_CA_CERTS="+s.Install.Path("tls", "ca.pem"))
	for i, a := range answers[:len(genuine)] {
		if !a.Accepted {
			t.Errorf("item %d: refused: %s", i, a.Why)
		}
	}
	for i, a := range answers[len(genuine):] {
		if a.Accepted {
			t.Errorf("item %d: the peer accepted a bad copy", i)
		} else if !because.MatchString(a.Why) {
			t.Errorf("item %d: a bad copy refused for another reason: %.200s", i, a.Why)
		}
	}
	return answers[:len(genuine)], fmt.Sprintf("%d accepted, %d bad copies refused", len(genuine), len(bad))
}

// Why a peer refuses a bad copy: the reason it was given.
var (
	unsigned   = regexp.MustCompile(`(?i)signature|verif|does not verify`)
	incomplete = regexp.MustCompile(`(?i)dob|type`)
)

// compare holds what a peer read against what our own verifier read.
func (a answer) compare(t *testing.T, c certificate) {
	t.Helper()
	own := c.own
	if diff := cmp.Diff(plain(t, own.Content), a.Content); diff != "" {
		t.Errorf("%s: the content differs (-own +peer):\n%s", c.profile, diff)
	}
	if a.KID != "" && a.KID != own.KID {
		t.Errorf("%s: key id %q, want %q", c.profile, a.KID, own.KID)
	}
	if a.Issuer != "" && a.Issuer != own.Issuer {
		t.Errorf("%s: issuer %q, want %q", c.profile, a.Issuer, own.Issuer)
	}
	if a.IssuedAt != 0 && (a.IssuedAt != own.IssuedAt.Unix() || a.ExpiresAt != seconds(own)) {
		t.Errorf("%s: from %d to %d, want %d to %d", c.profile, a.IssuedAt, a.ExpiresAt, own.IssuedAt.Unix(), seconds(own))
	}
}

// plain is a value as JSON decodes it.
func plain(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// said holds what a peer read against the event that was asked for.
func said(t *testing.T, profile string, content any) {
	t.Helper()
	wanted, known := asked[profile]
	if !known {
		t.Fatalf("nobody says what a certificate of profile %s must hold", profile)
	}
	for path, want := range wanted {
		if got := fmt.Sprint(at(content, path)); got != want {
			t.Errorf("%s: %s is not what was asked for", profile, path)
		}
	}
}

// at follows a path of member names and indexes.
func at(v any, path string) any {
	for step := range strings.SplitSeq(path, "/") {
		switch level := v.(type) {
		case map[string]any:
			v = level[step]
		case []any:
			var n int
			if _, err := fmt.Sscan(step, &n); err != nil || n >= len(level) {
				return nil
			}
			v = level[n]
		default:
			return nil
		}
	}
	return v
}
