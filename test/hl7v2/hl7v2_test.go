// Package hl7v2_test sends HL7 v2 messages to the real gateway and signer over MLLP: many at
// once, again, and into a gateway that is killed.
package hl7v2_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const flagListen = "--mllp-listen=127.0.0.1:0"

// complete lets the issuer's events be completed, as is agreed with hospitals that know
// neither Health Certificate IDs nor authorities.
func complete(t *testing.T) func(devinstall.Installation) {
	return func(d devinstall.Installation) {
		raw, err := os.ReadFile(d.Path("issuers.json"))
		if err != nil {
			t.Fatal(err)
		}
		var policy map[string]any
		if err := json.Unmarshal(raw, &policy); err != nil {
			t.Fatal(err)
		}
		for _, i := range policy["issuers"].([]any) {
			i.(map[string]any)["complete"] = map[string]any{"authority": devinstall.Authority.ID, "assignHCID": true, "country": "XXA"}
		}
		if raw, err = json.Marshal(policy); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.Path("issuers.json"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// vaccination is the message of one person's dose.
func vaccination(control, person string) string {
	day := time.Now().UTC().AddDate(0, 0, -20).Format("20060102")
	return strings.Join([]string{
		`MSH|^~\&|SpecimenEHR|SPECCLINIC|GATEWAY|MOH|20261110093015+0000||VXU^V04^VXU_V04|` + control + `|P|2.5.1|||ER|AL`,
		"PID|1||" + person + "^^^SPECCLINIC^MR||Specimen^" + person + "^^^^^L||19790308|F",
		"ORC|RE||VAX-" + person + "^SPECCLINIC",
		"RXA|0|1|" + day + "||208^COVID-19 mRNA^CVX|0.3|mL^^UCUM||00^New^NIP001||||||SPECLOT7|20270630|PFR^Pfizer, Inc^MVX|||CP|A",
		"OBX|1|NM|30973-2^Dose number in series^LN|1|1||||||F",
	}, "\r") + "\r"
}

// sender is one MLLP connection.
type sender struct {
	conn *tls.Conn
	from *bufio.Reader
}

// starts lists the addresses of the MLLP listener in the log.
func starts(s *harness.System) []string {
	var found []string
	for line := range strings.Lines(s.Logs()) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "MLLP listening" {
			found = append(found, entry.Address)
		}
	}
	return found
}

// address waits for a start of the listener besides the known ones.
func address(t *testing.T, s *harness.System, known int) string {
	t.Helper()
	for range 200 {
		if found := starts(s); len(found) > known {
			return found[len(found)-1]
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no MLLP listener\n%s", s.Logs())
	return ""
}

// restart starts the gateway anew and gives the address of its listener.
func restart(t *testing.T, s *harness.System, env ...string) string {
	t.Helper()
	harness.Kill(s.Gateway)
	known := len(starts(s))
	s.StartGateway(env...)
	return address(t, s, known)
}

func dial(t *testing.T, s *harness.System, address string) *sender {
	t.Helper()
	config := s.Client("issuer").Transport.(*http.Transport).TLSClientConfig.Clone()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	return &sender{conn, bufio.NewReader(conn)}
}

// exchange sends a message and reads its acknowledgement.
func (s *sender) exchange(message string) (string, error) {
	if _, err := io.WriteString(s.conn, "\x0b"+message+"\x1c\r"); err != nil {
		return "", err
	}
	text, err := s.from.ReadString(0x1c)
	if err != nil {
		return "", err
	}
	_, err = s.from.ReadByte()
	return strings.Trim(text, "\x0b\x1c"), err
}

// certificate reads an acknowledgement: the certificate of the dose, or why there is none.
func certificate(acknowledgement string) (string, error) {
	if !strings.Contains(acknowledgement, "\rMSA|AA|") {
		return "", errors.New(acknowledgement)
	}
	_, rest, found := strings.Cut(acknowledgement, "Bundle/")
	if id, _, ended := strings.Cut(rest, "."); found && ended {
		return id, nil
	}
	return "", errors.New("no certificate: " + acknowledgement)
}

// TestThousandMessages: over several connections, each dose is certified once, and again
// when all is sent again.
func TestThousandMessages(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Gateway: []string{flagListen, "--operators=" + devpki.Operator1Name}, Prepare: complete(t)})
	const connections, each = 8, 125
	at := address(t, s, 0)
	send := func(round string) []string {
		ids := make([]string, connections*each)
		var wait sync.WaitGroup
		for n := range connections {
			from := dial(t, s, at)
			wait.Go(func() {
				for i := range each {
					who := n*each + i
					answer, err := from.exchange(vaccination(fmt.Sprintf("%s-%d", round, who), fmt.Sprintf("P%d", who)))
					if err == nil {
						ids[who], err = certificate(answer)
					}
					if err != nil {
						t.Errorf("message %d: %v", who, err)
						return
					}
				}
			})
		}
		wait.Wait()
		return ids
	}
	begun := time.Now()
	first := send("A")
	t.Logf("%d messages in %v", len(first), time.Since(begun).Round(time.Millisecond))
	again := send("B") // the same doses in new messages, as systems repeat their history
	if !slices.Equal(first, again) {
		t.Error("a dose of another message has another certificate")
	}
	slices.Sort(again)
	if len(slices.Compact(again)) != connections*each {
		t.Error("two doses share a certificate")
	}
	if a, err := s.Get("/ddcc/Bundle/" + first[0]); err != nil || a.Status != 200 {
		t.Errorf("%d %v", a.Status, err)
	}
	recorded(t, s, first[0])
	a, err := s.Admin("gateway", "/metrics")
	if err != nil || !strings.Contains(string(a.Body), `ddcc_hl7v2_messages_total{code="AA",event="VXU^V04",via="mllp"} 2000`) {
		t.Errorf("%v", err)
	}
	if log := s.Logs(); strings.Contains(log, "Specimen^") || strings.Contains(log, "SPECLOT7") {
		t.Error("the log holds a value of a message")
	}
}

// recorded finds both messages of a dose in the record of transactions.
func recorded(t *testing.T, s *harness.System, certificate string) {
	t.Helper()
	operator := s.Client("operator-1")
	for range 40 { // records are written behind the answers
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/transactions?route=mllp&certificate="+certificate, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		a, err := harness.Do(operator, req)
		if err != nil || a.Status != 200 {
			t.Fatalf("%d %v %s", a.Status, err, a.Body)
		}
		if strings.Count(string(a.Body), `"outcome":"done"`) == 2 && strings.Count(string(a.Body), `"replayed":true`) == 1 && strings.Count(string(a.Body), `"client":"demo-clinic"`) == 2 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the messages of a dose are not on record")
}

// TestKilledInAMessage: the sender hears nothing, repeats, and the dose is certified once.
func TestKilledInAMessage(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Gateway: []string{flagListen}, Prepare: complete(t)})
	for n, point := range []string{"gateway-after-intent-recorded", "gateway-after-signature", "gateway-after-document-stored", "gateway-after-issued"} {
		at := restart(t, s, "DDCC_FAULT="+point)
		message := vaccination(fmt.Sprintf("K-%d", n), fmt.Sprintf("K%d", n))
		if answer, err := dial(t, s, at).exchange(message); err == nil {
			t.Fatalf("%s: an answer from a dead gateway: %q", point, answer)
		}
		from := dial(t, s, restart(t, s))
		answer, err := from.exchange(message)
		if err != nil {
			t.Fatal(err)
		}
		first, err := certificate(answer)
		if err != nil {
			t.Fatalf("%s: %v", point, err)
		}
		if answer, err = from.exchange(message); err != nil || !strings.Contains(answer, first) {
			t.Errorf("%s: %q %v", point, answer, err)
		}
		folder, err := s.Get("/ddcc/Bundle/" + first)
		if err != nil || folder.Status != 200 {
			t.Errorf("%s: %d %v", point, folder.Status, err)
		}
	}
}

// TestSignerAway: the message is to be repeated, and is then certified.
func TestSignerAway(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Gateway: []string{flagListen, "--signer-timeout=1s"}, Prepare: complete(t)})
	from := dial(t, s, address(t, s, 0))
	harness.Kill(s.Signer)
	message := vaccination("S-1", "S1")
	answer, err := from.exchange(message)
	if err != nil || !strings.Contains(answer, "\rMSA|AR|S-1") || !strings.Contains(answer, "|207^") {
		t.Fatalf("%q %v", answer, err)
	}
	s.StartSigner()
	for range 50 {
		if answer, err = from.exchange(message); err != nil {
			t.Fatal(err)
		}
		if _, err = certificate(answer); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%q", answer)
}
