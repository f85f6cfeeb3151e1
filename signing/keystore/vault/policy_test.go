package vault_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

var update = flag.Bool("update", false, "write the golden files")

// TestPolicyFileIsCurrent: k8s/vault/signer-policy.hcl is the policy for the first version
// of the usual labels.
func TestPolicyFileIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../../../k8s/vault/signer-policy.hcl"
	var keys []vault.Pinned
	for _, usage := range keystore.Usages() {
		keys = append(keys, vault.Pinned{Label: usualLabel(usage), Versions: []int{1}})
	}
	want, err := vault.SignerPolicy("transit", "", keys)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what SignerPolicy writes (%v); run the test with -update", path, err)
	}
}

// usualLabel is the label in the examples of docs/ceremony.md.
func usualLabel(usage keystore.Usage) string {
	if usage == keystore.UsageUpload {
		return string(usage)
	}
	return "dsc-" + string(usage)
}

func TestSignerPolicy(t *testing.T) {
	t.Parallel()
	text, err := vault.SignerPolicy("health/transit", "xx-", []vault.Pinned{
		{Label: "dsc-test", Versions: []int{10, 2, 10}}, {Label: "dsc-old"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`path "health/transit/sign/xx-dsc-test/sha2-256"`, `= ["2", "10"]`,
		`path "health/transit/keys/xx-dsc-test"`, `path "health/transit/keys/xx-dsc-old"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(text, "sign/xx-dsc-old") || strings.ContainsAny(text, "*+") {
		t.Error("permits more than it lists")
	}
	for name, keys := range map[string][]vault.Pinned{
		"a label with a wildcard": {{Label: "dsc-*", Versions: []int{1}}},
		"a label with a quote":    {{Label: `a" {}`, Versions: []int{1}}},
		"the latest version":      {{Label: "dsc-test", Versions: []int{0}}},
	} {
		if _, err := vault.SignerPolicy("transit", "", keys); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := vault.SignerPolicy("transit/+", "", nil); err == nil {
		t.Error("a mount with a wildcard is taken")
	}
}
