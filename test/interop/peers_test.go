package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// peers is where the foreign software is installed.
type peers struct{ dir, node, python, java string }

// copyJars is the step of Maven that fetches the libraries of peers/pom.xml.
const copyJars = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

// installLimit bounds the installation, scriptLimit one script.
const (
	installLimit = 10 * time.Minute
	scriptLimit  = 3 * time.Minute
)

// install puts the peers into .tools/interop unless they are there in the same versions.
func install(t *testing.T) peers {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".tools", "interop"))
	if err != nil {
		t.Fatal(err)
	}
	p := peers{dir: dir, node: program(t, "node"), python: filepath.Join(dir, "python", "bin", "python"), java: program(t, "java")}
	recent(t, p.node)
	npm, python, maven, javac := program(t, "npm"), program(t, "python3"), program(t, "mvn"), program(t, "javac")
	stamp := filepath.Join(dir, "installed")
	wanted := p.copyScripts(t) + version(t, p.node) + version(t, python) + version(t, javac)
	if have, err := os.ReadFile(stamp); err == nil && string(have) == wanted {
		return p
	}
	if err := os.RemoveAll(filepath.Join(dir, "java")); err != nil {
		t.Fatal(err)
	}
	p.must(t, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	p.must(t, python, "-m", "venv", "--clear", "python")
	p.must(t, maven, "--batch-mode", "--quiet", copyJars, "-DoutputDirectory=java")
	p.must(t, p.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", "requirements.txt")
	if err := os.WriteFile(stamp, []byte(wanted), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// copyScripts copies peers/ to where the packages are, since JavaScript looks for them from
// there, and gives the digest of the files that name the packages.
func (p peers) copyScripts(t *testing.T) string {
	t.Helper()
	if err := os.MkdirAll(p.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir("peers")
	if err != nil {
		t.Fatal(err)
	}
	packages := sha256.New()
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join("peers", f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(p.dir, f.Name()), raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		switch f.Name() {
		case "package.json", "package-lock.json", "requirements.txt", "pom.xml":
			packages.Write(raw)
		}
	}
	return hex.EncodeToString(packages.Sum(nil)) + "\n"
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

func version(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, "--version").Output()
	if err != nil {
		missing(t, filepath.Base(program)+" does not say its version")
	}
	return string(out)
}

// recent requires a Node.js that the packages can run on.
func recent(t *testing.T, node string) {
	t.Helper()
	const oldest = 20
	var major int
	if _, err := fmt.Sscanf(version(t, node), "v%d.", &major); err != nil || major < oldest {
		missing(t, fmt.Sprintf("Node.js %d or newer is needed", oldest))
	}
}

// must runs a step of the installation.
func (p peers) must(t *testing.T, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), installLimit)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = p.dir
	if out, err := command.CombinedOutput(); err != nil {
		missing(t, "the peers cannot be installed: "+filepath.Base(program)+" "+strings.Join(args, " ")+": "+err.Error()+"\n"+string(out))
	}
}

// missing ends the test: a peer that is not there is a failure in CI alone.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// request is what a script is asked. Items are the certificates; the rest is what a
// verifier has, or a signer.
type request struct {
	Task  string `json:"task"` // verify or issue
	Items []item `json:"items"`

	DSC        []string        `json:"dsc,omitempty"`        // PEM
	CSCA       []string        `json:"csca,omitempty"`       // PEM
	SHC        json.RawMessage `json:"shc,omitempty"`        // JWK set of the issuer of health cards
	Issuer     string          `json:"issuer,omitempty"`     // of health cards
	Gateway    *address        `json:"gateway,omitempty"`    // where that issuer is
	ListSigner string          `json:"listSigner,omitempty"` // DER in base64
	Contexts   string          `json:"contexts,omitempty"`   // file
	Schema     string          `json:"schema,omitempty"`     // file
	Key        string          `json:"key,omitempty"`        // PKCS #8 in PEM, of the first DSC
	JWK        any             `json:"jwk,omitempty"`        // the same with the private part
}

type address struct {
	Host string `json:"host"`
	Port string `json:"port"`
}

type item struct {
	Text      string `json:"text,omitempty"`
	Picture   []byte `json:"picture,omitempty"` // PNG
	Content   any    `json:"content,omitempty"`
	Issuer    string `json:"issuer,omitempty"`
	IssuedAt  int64  `json:"issuedAt,omitempty"` // seconds since 1970, like the other
	ExpiresAt int64  `json:"expiresAt,omitempty"`
	SubClaim  int64  `json:"subClaim,omitempty"`
}

// answer is what a script says about an item; what a library does not tell is zero.
type answer struct {
	Accepted            bool
	Why                 string // of a refusal
	Text                string
	KID, Issuer         string
	IssuedAt, ExpiresAt int64
	SubClaim            int64
	Content             any
}

// command makes the command line of a script, which may have arguments.
func (p peers) command(ctx context.Context, script string) *exec.Cmd {
	args := strings.Fields(script)
	switch filepath.Ext(args[0]) {
	case ".py":
		return exec.CommandContext(ctx, p.python, args...)
	case ".java": // compiled in memory; the simple compiler is the faster one for a second's work
		return exec.CommandContext(ctx, p.java, append([]string{"-XX:TieredStopAtLevel=1", "-cp", "java/*"}, args...)...)
	default:
		return exec.CommandContext(ctx, p.node, args...)
	}
}

// ask runs a script.
func (p peers) ask(t *testing.T, script string, r request, env ...string) []answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptLimit)
	defer cancel()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	command := p.command(ctx, script)
	command.Dir, command.Stdin, command.Stdout, command.Stderr = p.dir, bytes.NewReader(raw), &out, &log
	command.Env = append(os.Environ(), append(env, "PYTHONDONTWRITEBYTECODE=1", "NODE_NO_WARNINGS=1")...)
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, log.Bytes())
	}
	var answers []answer
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil || len(answers) != len(r.Items) {
		t.Fatalf("%s: %d answers to %d items, %v\n%s", script, len(answers), len(r.Items), err, log.Bytes())
	}
	return answers
}
