package openhim

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

const (
	sharedWord = "specimen-shared-password"
	ownWord    = "specimen-own-password-of-clinic"
)

func issuersOf(t testing.TB) mediator.Issuers {
	t.Helper()
	one := func(id, certificate, client string) mediator.IssuerPolicy {
		return mediator.IssuerPolicy{ID: id, Certificate: certificate, OpenHIMClient: client, Profiles: []string{"p"}, Authorities: []string{"moh"}, Rate: 1, Burst: 1}
	}
	issuers, err := mediator.NewIssuers(mediator.Policy{
		Authorities: []mediator.AuthorityPolicy{{ID: "moh", Name: "Ministry"}},
		Issuers:     []mediator.IssuerPolicy{one("clinic", "urn:clinic", "clinic-client"), one("registry", "", "registry-client"), one("direct", "urn:direct", "")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return issuers
}

func edgeOf(t testing.TB) *Edge {
	t.Helper()
	credentials, err := ParseCredentials("route:" + sharedWord + "\r\n\nclinic-client route-1:" + ownWord + "\n")
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEdge(EdgeOptions{Name: coreName, URN: testURN, Credentials: credentials, Clients: issuersOf(t), Clock: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func basicAuth(user, word string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+word))
}

// TestWhoARequestComesFrom: the certificate, the route's credentials and the header
// together; each alone is nobody.
func TestWhoARequestComesFrom(t *testing.T) {
	t.Parallel()
	e := edgeOf(t)
	shared, own := basicAuth("route", sharedWord), basicAuth("route-1", ownWord)
	for name, tc := range map[string]struct {
		peer   string
		header []string
		want   string // issuer
		code   string
	}{
		"private channel":                     {coreName, []string{"Authorization", shared, clientHeader, "registry-client"}, "registry", ""},
		"channel of one client":               {coreName, []string{"Authorization", own, clientHeader, "clinic-client"}, "clinic", ""},
		"repetition over it":                  {coreName, []string{"Authorization", own, clientHeader, "clinic-client", "parentid", "1", "taskid", "2", "clientid", "3"}, "clinic", ""},
		"public channel":                      {coreName, nil, "", "openhim-channel"},
		"public channel, with a name":         {coreName, []string{clientHeader, "clinic-client"}, "", "openhim-channel"},
		"wrong password":                      {coreName, []string{"Authorization", basicAuth("route", sharedWord+"x"), clientHeader, "clinic-client"}, "", "openhim-channel"},
		"password of another channel":         {coreName, []string{"Authorization", basicAuth("route", ownWord), clientHeader, "clinic-client"}, "", "openhim-channel"},
		"half a password":                     {coreName, []string{"Authorization", basicAuth("route", sharedWord[:8]), clientHeader, "clinic-client"}, "", "openhim-channel"},
		"another scheme":                      {coreName, []string{"Authorization", strings.Replace(shared, "Basic", "Bearer", 1), clientHeader, "clinic-client"}, "", "openhim-channel"},
		"two credentials":                     {coreName, []string{"Authorization", shared, "Authorization", shared, clientHeader, "clinic-client"}, "", "openhim-channel"},
		"no client":                           {coreName, []string{"Authorization", shared}, "", "not-an-issuer"},
		"empty client":                        {coreName, []string{"Authorization", shared, clientHeader, ""}, "", "not-an-issuer"},
		"unknown client":                      {coreName, []string{"Authorization", shared, clientHeader, "nobody"}, "", "not-an-issuer"},
		"an issuer's id is no client id":      {coreName, []string{"Authorization", shared, clientHeader, "clinic"}, "", "not-an-issuer"},
		"a certificate name is no client id":  {coreName, []string{"Authorization", shared, clientHeader, "urn:clinic"}, "", "not-an-issuer"},
		"two clients":                         {coreName, []string{"Authorization", shared, clientHeader, "clinic-client", clientHeader, "registry-client"}, "", "not-an-issuer"},
		"another's channel":                   {coreName, []string{"Authorization", own, clientHeader, "registry-client"}, "", "openhim-client"},
		"no client on the channel of one":     {coreName, []string{"Authorization", own}, "", "openhim-client"},
		"repetition over a shared channel":    {coreName, []string{"Authorization", shared, clientHeader, "clinic-client", "parentid", "1"}, "", "openhim-rerun"},
		"repetition that hides its parent":    {coreName, []string{"Authorization", shared, clientHeader, "clinic-client", "ClientID", ""}, "", "openhim-rerun"},
		"direct issuer, all headers":          {"urn:clinic", []string{"Authorization", shared, clientHeader, "registry-client"}, "", "-"},
		"unknown peer that knows the secrets": {"urn:thief", []string{"Authorization", own, clientHeader, "clinic-client"}, "", "-"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://gateway.test/ddcc/x", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(tc.header); i += 2 {
			req.Header.Add(tc.header[i], tc.header[i+1])
		}
		by, relayed, err := e.Issuer(req, tc.peer)
		code := ""
		if err != nil {
			code = fault.From(err).Code
		}
		if !relayed {
			code = "-"
		}
		if by.ID != tc.want || code != tc.code {
			t.Errorf("%s: %q %s", name, by.ID, code)
		}
		if err != nil && (strings.Contains(err.Error(), "specimen") || strings.Contains(err.Error(), "clinic-client")) {
			t.Errorf("%s: the error repeats a value", name)
		}
	}
}

func TestCredentialFiles(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("w", minPassword)
	for text, good := range map[string]bool{
		"u:" + word: true, "u:" + word + "\n": true, "c u:" + word + "\nc u2:" + word: true, "u:a:" + word: true, "urn:c u:" + word: true,
		"": false, "\n": false, "u": false, ":" + word: false, "u:" + word[1:]: false, "a b u:" + word: false, "u:" + word + " x": false,
		"u:" + word + "\nc u:" + word: false, strings.Repeat("u:"+word+"\n", 2): false,
	} {
		_, err := ParseCredentials(text)
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "www") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
	var none Credentials
	if _, ok := none.match("", ""); ok {
		t.Error("no credentials match nothing")
	}
	for name, o := range map[string]EdgeOptions{
		"nothing": {}, "no clients": {Name: "a", URN: testURN, Clock: time.Now}, "urn": {Name: "a", URN: "x", Clients: issuersOf(t), Clock: time.Now},
	} {
		if _, err := NewEdge(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseCredentials(f *testing.F) {
	for _, seed := range []string{"u:wwwwwwwwwwwwwwww", "c u:wwwwwwwwwwwwwwww\n\nv:xxxxxxxxxxxxxxxxx", ":", "a b c", "\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCredentials(text)
		if err == nil && (len(c) == 0 || len(c) > maxCredentials) {
			t.Fatalf("%d credentials", len(c))
		}
		if _, ok := c.match("", ""); ok {
			t.Fatal("nothing matches")
		}
	})
}
