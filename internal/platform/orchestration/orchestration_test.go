package orchestration_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

const secret = "Ada Specimen"

func client(next http.RoundTripper) *http.Client {
	return &http.Client{Transport: orchestration.Transport(orchestration.TransportOptions{
		Next: next, Group: "fhir", DigestKey: []byte("k"), Clock: time.Now,
		Describe: func(*http.Request) orchestration.Call {
			return orchestration.Call{Name: "store", Path: "/Patient/{id}"}
		},
	})}
}

func post(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/Patient/secret-id?name=Ada", strings.NewReader(secret))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", secret)
	answer, err := c.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestLegSaysNothingOfTheContent(t *testing.T) {
	t.Parallel()
	ctx, record := orchestration.With(context.Background())
	if err := post(ctx, client(http.DefaultTransport), echo(t)); err != nil {
		t.Fatal(err)
	}
	legs, omitted := record.Legs()
	if len(legs) != 1 || omitted != 0 {
		t.Fatalf("%d legs, %d omitted", len(legs), omitted)
	}
	l := legs[0]
	if l.Status != http.StatusCreated || l.Name != "store" || l.Request.Size != int64(len(secret)) || l.Request != l.Response || l.Request.Digest == "" {
		t.Errorf("%+v", l)
	}
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{secret, "secret-id", "name=Ada"} {
		if strings.Contains(string(raw), leak) {
			t.Errorf("the leg holds a value of the request: %s", raw)
		}
	}
}

func TestFailuresAreWords(t *testing.T) {
	t.Parallel()
	broken := errors.New("dial secret.host: " + secret)
	for word, next := range map[string]func(*http.Request) (*http.Response, error){
		"connection": func(*http.Request) (*http.Response, error) { return nil, broken },
		"cancelled":  func(*http.Request) (*http.Response, error) { return nil, context.Canceled },
		"timeout":    func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded },
	} {
		ctx, record := orchestration.With(context.Background())
		if err := post(ctx, client(roundTripper(next)), "http://fhir.example"); err == nil {
			t.Fatal("no error")
		}
		legs, _ := record.Legs()
		if len(legs) != 1 || legs[0].Failure != word || legs[0].Status != 0 {
			t.Errorf("%s: %+v", word, legs)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRecordIsBoundedAndOuterWins(t *testing.T) {
	t.Parallel()
	ctx, record := orchestration.With(context.Background())
	if _, inner := orchestration.With(ctx); inner != record {
		t.Error("an inner caller took the record over")
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range orchestration.MaxLegs / 4 {
				orchestration.From(ctx).Add(orchestration.Leg{})
			}
		})
	}
	wait.Wait()
	if legs, omitted := record.Legs(); len(legs) != orchestration.MaxLegs || omitted != orchestration.MaxLegs {
		t.Errorf("%d legs, %d omitted", len(legs), omitted)
	}
}

func TestWithoutARecordNothingIsKept(t *testing.T) {
	t.Parallel()
	if err := post(context.Background(), client(http.DefaultTransport), echo(t)); err != nil {
		t.Fatal(err)
	}
	var none *orchestration.Record
	none.Add(orchestration.Leg{})
	if legs, omitted := none.Legs(); legs != nil || omitted != 0 {
		t.Error("a nil record kept something")
	}
}
