package httpx

import (
	"log/slog"
	"strings"
)

// errorLog receives the lines net/http writes about connections. They hold addresses,
// and parts that the client chose, so a line is mapped to a known event and reason.
type errorLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (e errorLog) Write(line []byte) (int, error) {
	event, reason := classify(string(line))
	e.log.Warn("http server", slog.String("event", event), slog.String("reason", reason))
	return len(line), nil
}

func classify(line string) (event, reason string) {
	switch {
	case strings.Contains(line, "TLS handshake error"):
		return "tls handshake failed", handshakeReason(line)
	case strings.Contains(line, "panic serving"):
		return "panic outside the engine", "see the handler"
	case strings.Contains(line, "Accept error"):
		return "accept failed", "out of file descriptors or the listener is broken"
	case strings.HasPrefix(line, "http2:"):
		return "http2 connection error", "other"
	}
	return "connection error", "other"
}

// handshakeReason knows the texts of crypto/tls and of tlsconf.
func handshakeReason(line string) string {
	for _, r := range [...]struct{ text, reason string }{
		{"not on the list of allowed names", "client name is not allowed"},
		{"no verified certificate", "client has no verified certificate"},
		{"didn't provide a certificate", "client sent no certificate"},
		{"certificate has expired", "client certificate expired or not yet valid"},
		{"unknown authority", "client certificate of an unknown CA"},
		{"incompatible key usage", "client certificate is not for client authentication"},
		{"failed to verify certificate", "client certificate does not verify"},
		{"remote error: tls:", "client refused our certificate or parameters"},
		{"unsupported versions", "client offers no TLS 1.3"},
		{"does not look like a TLS handshake", "client does not speak TLS"},
		{"sent an HTTP request to an HTTPS server", "client does not speak TLS"},
		{"i/o timeout", "client was too slow"},
		{"EOF", "client hung up"},
		{"connection reset", "client hung up"},
	} {
		if strings.Contains(line, r.text) {
			return r.reason
		}
	}
	return "other"
}
