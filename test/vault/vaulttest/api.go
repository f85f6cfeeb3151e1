package vaulttest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"
)

// Answer is what the API answered.
type Answer map[string]any

// Data gives the member "data" of an answer.
func (a Answer) Data() Answer { return a.member("data") }

func (a Answer) member(name string) Answer {
	m, _ := a[name].(map[string]any)
	return m
}

// Text gives a member that is a string, or "".
func (a Answer) Text(name string) string {
	text, _ := a[name].(string)
	return text
}

// Root sends a request with the root token and fails the test unless it succeeds.
func (s *Server) Root(method, path string, body any) Answer {
	s.t.Helper()
	status, answer, err := s.request(s.RootToken, method, path, body)
	if err != nil || status >= 300 {
		s.t.Fatalf("Vault %s %s: %d %v %v", method, path, status, answer["errors"], err)
	}
	return answer
}

// As sends a request with any token and gives the status.
func (s *Server) As(token, method, path string, body any) (int, Answer) {
	s.t.Helper()
	status, answer, err := s.request(token, method, path, body)
	s.must(err)
	return status, answer
}

// Wrap writes as root and gives the token that wraps the answer.
func (s *Server) Wrap(path string, body any) string {
	s.t.Helper()
	status, answer, err := s.request(s.RootToken, http.MethodPost, path, body, "X-Vault-Wrap-TTL", "120s")
	if err != nil || status != http.StatusOK {
		s.t.Fatalf("Vault wraps nothing: %d %v", status, err)
	}
	return answer.member("wrap_info").Text("token")
}

func (s *Server) request(token, method, path string, body any, header ...string) (int, Answer, error) {
	raw, err := json.Marshal(body)
	if err != nil || body == nil {
		raw = nil
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.Address+"/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer := Answer{}
	decoder := json.NewDecoder(io.LimitReader(resp.Body, 4<<20))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil && resp.StatusCode != http.StatusNoContent && resp.ContentLength != 0 {
		return resp.StatusCode, nil, err
	}
	return resp.StatusCode, answer, nil
}

func (s *Server) httpClient() *http.Client {
	if s.plain {
		return &http.Client{Timeout: 20 * time.Second}
	}
	pem, err := os.ReadFile(s.CAFile)
	s.must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}},
	}
}
