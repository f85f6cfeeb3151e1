package main

import (
	"errors"
	"reflect"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

func TestVaultPolicyPinsWhatSignsOrWillSign(t *testing.T) {
	t.Parallel()
	key := func(label string, version int, state string) signing.KeyStatus {
		return signing.KeyStatus{Registration: signing.Registration{Label: label, Version: version}, State: state}
	}
	keys := []signing.KeyStatus{
		key("dsc-test", 3, "planned"), key("dsc-test", 2, "active"), key("dsc-test", 1, "verify-only"),
		key("dsc-vaccination", 1, "revoked"), key("dsc-vaccination", 2, "published"), key("dsc-old", 1, "expired"),
	}
	got, err := pinnedVersions(keys, []string{"upload:1", "dsc-test:3"})
	want := []vault.Pinned{{Label: "dsc-test", Versions: []int{2, 3}}, {Label: "dsc-vaccination", Versions: []int{2}}, {Label: "upload", Versions: []int{1}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, with := range []string{"", "dsc-test", "dsc-test:0", "dsc-test:x", "../sys:1", "dsc-*:1"} {
		if _, err := pinnedVersions(keys, []string{with}); !errors.Is(err, errUsage) {
			t.Errorf("--with %q: %v", with, err)
		}
	}
	if _, err := pinnedVersions(nil, nil); !errors.Is(err, errUsage) {
		t.Errorf("an empty register: %v", err)
	}
}
