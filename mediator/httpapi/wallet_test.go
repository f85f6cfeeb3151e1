package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// Google's file is given to nobody who did not ask for it and say that the holder consents.
func TestWalletFiles(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	path := "/ddcc/DocumentReference/" + picture + "/$wallet"
	for name, tc := range map[string]struct {
		query, accept string
		status        int
		want          string
	}{
		"any":                      {"", "*/*", http.StatusOK, "birth date false"},
		"nothing said":             {"", "", http.StatusOK, "birth date false"},
		"Apple, with birth date":   {"?birthDate=true&language=fr", "application/vnd.apple.pkpass", http.StatusOK, "pass in fr, birth date true"},
		"Google without consent":   {"", "application/jwt", http.StatusUnprocessableEntity, "wallet-consent"},
		"Google with consent":      {"?consent=true", "application/jwt", http.StatusOK, "e30.e30."},
		"Google by wildcard":       {"?consent=true", "application/*", http.StatusOK, "pass in"},
		"a form that there is not": {"", "image/png", http.StatusNotAcceptable, "content-negotiation"},
	} {
		got := e.send(t, "clinic", http.MethodGet, path+tc.query, "", "Accept", tc.accept)
		if got.Code != tc.status || !strings.Contains(got.Body.String(), tc.want) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	if got := e.send(t, "neighbour", http.MethodGet, path, "", "Accept", "*/*"); got.Code != http.StatusNotFound {
		t.Errorf("another issuer: %d", got.Code)
	}
}
