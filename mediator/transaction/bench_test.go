package transaction_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// processor is the time that the whole process has spent on its processors.
func processor(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRecord is the record of a usual issue (two calls of the signer, one certificate)
// from the edge to the disk, bodies measured and not kept. us-cpu/op is what it costs all
// processors together, ns/op what a caller that does nothing else waits.
func BenchmarkRecord(b *testing.B) {
	path := filepath.Join(b.TempDir(), "transactions.db")
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{CacheMiB: 8})
	if err != nil {
		b.Fatal(err)
	}
	r, err := transaction.NewRecorder(transaction.Options{
		Store: store, Secret: secret, Retention: 720 * time.Hour, Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	request, response := bytes.Repeat([]byte("q"), 4<<10), bytes.Repeat([]byte("a"), 24<<10)
	before := processor(b)
	b.ResetTimer()
	for b.Loop() {
		in, out := r.Meter(), r.Meter()
		_, _ = in.Write(request)
		_, _ = out.Write(response)
		legs := []orchestration.Leg{leg("sign certificate"), leg("sign document")}
		r.Record(transaction.Transaction{
			Started: time.Now(), Took: 3 * time.Millisecond, Client: "demo-clinic", Peer: "urn:ddcc-gateway:issuer:demo-clinic", Via: transaction.ViaDirect,
			Correlation: uuid.NewString(), Method: "POST", Route: "/ddcc/QuestionnaireResponse/$generateHealthCertificate", Status: 201,
			Outcome: transaction.OutcomeDone, Certificates: []string{uuid.Must(uuid.NewV7()).String()}, Legs: legs,
		}, transaction.Bodies{Request: in, Response: out})
	}
	if err := r.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64((processor(b)-before).Microseconds())/float64(b.N), "us-cpu/op")
	if c := r.Counts(); c.Lost != 0 || c.Kept != uint64(b.N) {
		b.Errorf("%+v of %d", c, b.N)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	file, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(file.Size())/float64(b.N), "disk-B/op")
}

func leg(name string) orchestration.Leg {
	return orchestration.Leg{
		Name: name, Group: "signer", Method: "POST", Host: "signer.internal:9443", Path: "/v1/certificates",
		Started: time.Now().UTC(), Took: 1500 * time.Microsecond, Status: 200,
		Request:  orchestration.Body{Size: 900, Digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
		Response: orchestration.Body{Size: 700, Digest: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"},
	}
}
