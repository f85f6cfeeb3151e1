package client_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
)

// BenchmarkCalls is what the client costs, without a network.
func BenchmarkCalls(b *testing.B) {
	document := `{"resourceType":"Bundle","id":"x","type":"document","entry":[{"resource":{"resourceType":"Binary","id":"b","data":"` + strings.Repeat("QUJD", 16<<10) + `"}}]}`
	transaction := fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":%s,"request":{"method":"PUT","url":"Bundle/x"}}]}`, document)
	done := `{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"200 OK","location":"Bundle/x/_history/1"}}]}`
	c, err := client.New(client.Options{Base: "http://embedded/fhir", InProcess: true, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			return reply(200, done), nil
		}
		return reply(200, document), nil
	})})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read of 64 KiB", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Read(b.Context(), "Bundle", "x"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("transaction of 64 KiB", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Transaction(b.Context(), transaction); err != nil {
				b.Fatal(err)
			}
		}
	})
}
