package config_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

type policy struct {
	Name  string `json:"name"`
	Rules []struct {
		Limit int `json:"limit"`
	} `json:"rules"`
}

func TestDecodeFile(t *testing.T) {
	t.Parallel()
	var p policy
	if err := config.DecodeFile(write(t, `{"name":"a","rules":[{"limit":3}]}`), &p); err != nil {
		t.Fatal(err)
	}
	if p.Name != "a" || len(p.Rules) != 1 || p.Rules[0].Limit != 3 {
		t.Errorf("got %+v", p)
	}
	tests := map[string]struct{ text, want string }{
		"unknown":        {`{"rules":[{"limit":1,"limits":2}]}`, "/rules/0/limits is not a known member"},
		"case":           {`{"Name":"a"}`, "/Name is not a known member"},
		"duplicate":      {`{"name":"a","name":"b"}`, "/name occurs twice"},
		"type":           {`{"name":12345}`, "/name does not fit the type string"},
		"trailing":       {`{"name":"a"}x`, "not valid JSON at byte"},
		"empty":          {``, "not valid JSON at byte"},
		"truncated":      {`{"name":"sec`, "not valid JSON at byte"},
		"invalid UTF-8":  {"{\"name\":\"\xff\"}", "not valid JSON at byte"},
		"huge":           {`{"name":"` + strings.Repeat("a", 1<<20) + `"}`, "larger than"},
		"deeply nested":  {strings.Repeat("[", 100_000), "not"},
		"wrong document": {`[]`, "the document does not fit"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p policy
			err := config.DecodeFile(write(t, tc.text), &p)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("DecodeFile = %v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "12345") || len(err.Error()) > 500 {
				t.Errorf("the error repeats content: %.100s", err)
			}
		})
	}
}

func FuzzDecodeFile(f *testing.F) {
	f.Add([]byte(`{"name":"a","rules":[{"limit":3}]}`))
	f.Add([]byte(`{"name":"a","name":"b"}`))
	f.Add([]byte(`[[[`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "policy.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var p policy
		_ = config.DecodeFile(path, &p)
	})
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		mode os.FileMode
		want string
		fail string
	}{
		"one newline trimmed":  {"hunter2\n", 0o600, "hunter2", ""},
		"only one":             {"hunter2\n\n", 0o400, "hunter2\n", ""},
		"crlf":                 {"hunter2\r\n", 0o600, "hunter2", ""},
		"spaces kept":          {" hunter2 ", 0o600, " hunter2 ", ""},
		"carriage return kept": {"hunter2\r", 0o600, "hunter2\r", ""},
		"group readable":       {"hunter2", 0o640, "", "chmod 0600"},
		"world readable":       {"hunter2", 0o604, "", "chmod 0600"},
		"world writable":       {"hunter2", 0o602, "", "chmod 0600"},
		"empty":                {"", 0o600, "", "empty"},
		"newline alone":        {"\n", 0o600, "", "empty"},
		"too large":            {strings.Repeat("x", 64<<10+1), 0o600, "", "larger"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tc.mode); err != nil {
				t.Fatal(err)
			}
			got, err := config.SecretFile(path).Read()
			if tc.fail != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fail) || strings.Contains(err.Error(), "hunter2") {
					t.Fatalf("Read = %v, want %q without the secret", err, tc.fail)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Fatalf("Read = %q, %v", got, err)
			}
		})
	}
	if _, err := config.SecretFile(t.TempDir()).Read(); err == nil {
		t.Error("a directory was read as a secret")
	}
}

func TestSecretFileIsNotLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", config.SecretFile("vault-approle"))
	if got := out.String(); strings.Contains(got, "vault-approle") || !strings.Contains(got, "secret=set") {
		t.Errorf("line %q", got)
	}
}
