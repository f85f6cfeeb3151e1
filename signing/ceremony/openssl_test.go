package ceremony

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// openssl runs the tool that everybody else checks certificates with.
func openssl(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "openssl", arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

func needOpenSSL(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed: the second opinion on certificates is skipped")
	}
}

// expectText looks for texts whatever their white space: openssl indents by depth.
func expectText(t *testing.T, text string, wants ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, want := range wants {
		if !strings.Contains(flat, want) {
			t.Errorf("openssl does not show %q in\n%s", want, text)
		}
	}
}

func TestOpenSSLReadsAndVerifiesEverything(t *testing.T) {
	t.Parallel()
	needOpenSSL(t)
	s := newSite(t)
	_, issuer := s.csca()
	s.hold(dscFile(issuer, allKeys()...))
	s.hold(crlFile.with(content{"issuer": issuer}))
	s.hold(content{"name": "xx-request", "kind": "request", "country": "XX", "organization": "Test Ministry of Health", "keys": allKeys()})
	at := fmt.Sprint(now.Add(backdating).Unix())

	expectText(t, openssl(t, "x509", "-in", s.path("out", "xx-csca.pem"), "-noout", "-text"),
		"ecdsa-with-SHA256", "C = XX, O = Test Ministry of Health, CN = Test CSCA 2026", "Not After : Nov 20 09:30:00 2030 GMT",
		"X509v3 Basic Constraints: critical CA:TRUE, pathlen:0", "X509v3 Key Usage: critical Certificate Sign, CRL Sign",
		"X509v3 Private Key Usage Period: Not Before: Nov 21 09:30:00 2026 GMT, Not After: Nov 21 09:30:00 2027 GMT")
	extended := map[keystore.Usage]string{
		keystore.UsageVaccination: "1.3.6.1.4.1.1847.2021.1.2", keystore.UsageTest: "1.3.6.1.4.1.1847.2021.1.1",
		keystore.UsageRecovery: "1.3.6.1.4.1.1847.2021.1.3", keystore.UsageVDSNC: "X509v3 Extended Key Usage: critical 2.23.136.1.1.14.2",
		keystore.UsageSHC: "URI:https://example.org/shc",
	}
	for _, usage := range keystore.Usages() {
		path := s.path("out", "xx-dsc-"+string(usage)+".pem")
		expectText(t, openssl(t, "verify", "-x509_strict", "-attime", at, "-CAfile", s.path("out", "xx-csca.pem"), path), "OK")
		text := openssl(t, "x509", "-in", path, "-noout", "-text")
		expectText(t, text, "CN = Test DSC "+string(usage), "URI:https://example.org/csca.crl", extended[usage])
		if usage != keystore.UsageVDSNC {
			expectText(t, text, "X509v3 Key Usage: critical Digital Signature")
		}
		expectText(t, openssl(t, "req", "-in", s.path("out", "xx-request-"+string(usage)+".csr.pem"), "-noout", "-verify", "-text"),
			"self-signature verify OK", "CN = Test DSC "+string(usage), extended[usage])
	}
	expectText(t, openssl(t, "crl", "-in", s.path("out", "xx-crl.crl.pem"), "-CAfile", s.path("out", "xx-csca.pem"), "-noout", "-text"),
		"verify OK", "Serial Number: 0BADC0DE", "Key Compromise", "X509v3 CRL Number: 1")
}
