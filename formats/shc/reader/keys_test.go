package reader

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func asError(err error, target **Error) bool { return errors.As(err, target) }

// keyCases are the key sets of the framework's validator with the rule each one breaks.
var keyCases = map[string]Rule{
	"valid_keys.json":                   "",
	"valid_2_chain.public.json":         "",
	"issuer.jwks.public.not.smart.json": "",
	"wrong_kid_key.json":                RuleKID,
	"wrong_curve_key.json":              RuleKeyCurve,
	"wrong_use_key.json":                RuleKeyUse,
	"wrong_alg_key.json":                RuleKeyAlg,
	"wrong_kty_key.json":                RuleKeyType,
	"cert_mismatch.public.json":         RuleCertificate,
	"invalid_chain.public.json":         RuleCertificate,
	"invalid_no_SAN.public.json":        RuleCertificate,
	"invalid_DNS_SAN.public.json":       RuleCertificate,
}

func TestValidatorKeySets(t *testing.T) {
	t.Parallel()
	for name, rule := range keyCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, problems := CheckKeys(vectors.Read(t, "shc", "validation-sdk", name))
			if rule == "" {
				if len(problems) > 0 || len(keys) == 0 {
					t.Errorf("%d keys and %v", len(keys), problems)
				}
				return
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Rule == rule && p.Severity == SeverityError && p.Detail != "" }) {
				t.Errorf("got %v, want %s", problems, rule)
			}
		})
	}
}

// A certificate names its issuer, which the caller compares with iss.
func TestCertificateNamesIssuer(t *testing.T) {
	t.Parallel()
	keys := exampleKeys(t)
	if keys[0].Issuer != "" || keys[0].CRLVersion != 1 {
		t.Errorf("without certificate: issuer or CRL version is wrong")
	}
	if keys[1].Issuer != "https://spec.smarthealth.cards/examples/issuer" || keys[1].CRLVersion != 0 {
		t.Errorf("issuer of the certificate is wrong")
	}
}

const goodX, goodY = "11XvRWy1I2S0EyJlyf_bWfw_TQ5CJJNLw78bHXNxcgw", "eZXwxvO1hvCY0KucrPfKo7yAyMT6Ajc3N7OkAB6VYy8"

// keySetWith is the public key of the framework's examples with members changed (or
// removed, if nil).
func keySetWith(t testing.TB, changes map[string]any) []byte {
	t.Helper()
	key := map[string]any{
		"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s", "x": goodX, "y": goodY,
	}
	for name, value := range changes {
		key[name] = value
		if value == nil {
			delete(key, name)
		}
	}
	raw, err := json.Marshal(map[string]any{"keys": []any{key}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestCheckKeys(t *testing.T) {
	t.Parallel()
	type members = map[string]any
	for name, c := range map[string]struct {
		changes members
		want    Rule
	}{
		"good":                    {members{}, ""},
		"unknown member":          {members{"key_ops": []string{"verify"}}, ""},
		"CRL version":             {members{"crlVersion": 3}, ""},
		"no kty":                  {members{"kty": nil}, RuleKeyType},
		"kty is a number":         {members{"kty": 1}, RuleKeyType},
		"no kid":                  {members{"kid": nil}, RuleKID},
		"kid of another key":      {members{"kid": strings.Repeat("A", 43)}, RuleKID},
		"private key":             {members{"d": goodX}, RulePrivateKey},
		"x with leading zero":     {members{"x": "ANdV70VstSNktBMiZcn_21n8P00OQiSTS8O_Gx1zcXIM"}, RuleKeyPoint},
		"x with padding":          {members{"x": goodX + "="}, RuleKeyPoint},
		"x with stray bits":       {members{"x": goodX[:42] + "x"}, RuleKeyPoint},
		"x short":                 {members{"x": goodX[:40]}, RuleKeyPoint},
		"point not on the curve":  {members{"y": goodX}, RuleKeyPoint},
		"CRL version 0":           {members{"crlVersion": 0}, RuleCRLVersion},
		"CRL version is a string": {members{"crlVersion": "1"}, RuleCRLVersion},
		"CRL version is broken":   {members{"crlVersion": 1.5}, RuleCRLVersion},
		"no certificate":          {members{"x5c": []string{}}, RuleCertificate},
		"x5c is a string":         {members{"x5c": "AAAA"}, RuleCertificate},
		"x5c is base64url":        {members{"x5c": []string{"_-_-"}}, RuleCertificate},
		"x5c is no certificate":   {members{"x5c": []string{"AAAA"}}, RuleCertificate},
		"x5c too many":            {members{"x5c": slices.Repeat([]string{"AAAA"}, 7)}, RuleCertificate},
		"x5c too long":            {members{"x5c": []string{strings.Repeat("A", 17<<10)}}, RuleCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, problems := CheckKeys(keySetWith(t, c.changes))
			if c.want == "" {
				if len(keys) != 1 || len(problems) != 0 {
					t.Errorf("%d keys, %v", len(keys), problems)
				}
				return
			}
			if len(keys) != 0 || !slices.ContainsFunc(problems, func(p Problem) bool { return p.Rule == c.want }) {
				t.Errorf("%d keys, %v", len(keys), problems)
			}
		})
	}
}

func TestCheckKeysRefusesSets(t *testing.T) {
	t.Parallel()
	good := string(keySetWith(t, nil))
	for name, raw := range map[string]string{
		"empty": "", "no JSON": "{", "list": "[]", "no keys": `{}`, "empty list": `{"keys":[]}`, "null": `{"keys":null}`,
		"repeated": `{"keys":[],"keys":[]}`, "two values": good + good, "strings": `{"keys":["a"]}`,
		"too large": strings.Repeat(" ", maxKeySet+1),
		"too many":  `{"keys":[` + strings.Repeat("{},", maxKeys) + `{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, problems := CheckKeys([]byte(raw))
			if len(keys) != 0 || len(problems) != 1 || problems[0].Rule != RuleJWKS {
				t.Errorf("%d keys, %v", len(keys), problems)
			}
		})
	}
}

// A set full of faults gives a bounded list and no key that was not looked at.
func TestCheckKeysIsBounded(t *testing.T) {
	t.Parallel()
	good := string(keySetWith(t, nil))
	raw := `{"keys":[` + strings.Repeat("{},", 200) + strings.TrimSuffix(strings.TrimPrefix(good, `{"keys":[`), "}")
	keys, problems := CheckKeys([]byte(raw + "}"))
	if len(keys) != 0 || len(problems) != maxProblems {
		t.Errorf("%d keys, %d problems", len(keys), len(problems))
	}
}
