package hapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

//go:embed peer/Peer.java peer/Validator.java peer/pom.xml
var peer embed.FS

// copyJars is the step of Maven that fetches the libraries of pom.xml.
const copyJars = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

// installLimit bounds the fetching of 240 libraries (270 MB) and the compiler.
const installLimit = 15 * time.Minute

// absence says that something is missing on this machine.
type absence struct{ what string }

func (a *absence) Error() string { return a.what }

// The folders of the compiled programs: one changes without the other, which may be running.
const (
	peerClasses      = "classes"
	validatorClasses = "validator"
)

// installation is where HAPI is.
type installation struct{ dir, java string }

// classPath has one of our own programs, by its folder, and all libraries.
func (i installation) classPath(program string) string {
	return filepath.Join(i.dir, program) + string(os.PathListSeparator) + filepath.Join(i.dir, "lib", "*")
}

// install puts HAPI into .tools/hapi unless it is there in the same versions. Test processes
// that come at the same time wait for each other.
func install() (installation, error) {
	root, err := moduleRoot()
	if err != nil {
		return installation{}, err
	}
	i := installation{dir: filepath.Join(root, ".tools", "hapi")}
	programs := map[string]string{}
	for _, name := range []string{"java", "javac", "mvn"} {
		if programs[name], err = exec.LookPath(name); err != nil {
			return installation{}, &absence{name + " is not installed: HAPI needs a JDK (17 or newer) and Maven"}
		}
	}
	i.java = programs["java"]
	if err := os.MkdirAll(i.dir, 0o750); err != nil {
		return installation{}, err
	}
	unlock, err := lock(filepath.Join(i.dir, "lock"))
	if err != nil {
		return installation{}, err
	}
	defer unlock()
	return i, i.refresh(programs)
}

// refresh installs what the stamps do not say is there.
func (i installation) refresh(programs map[string]string) error {
	sources := map[string][]byte{}
	for _, name := range []string{"Peer.java", "Validator.java", "pom.xml"} {
		raw, err := peer.ReadFile("peer/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(i.dir, name), raw, 0o600); err != nil {
			return err
		}
		sources[name] = raw
	}
	compiler, err := exec.Command(programs["javac"], "--version").Output()
	if err != nil {
		return &absence{"javac does not say its version"}
	}
	err = i.part("lib", [][]byte{sources["pom.xml"]}, func() error {
		return i.run(programs["mvn"], "--batch-mode", "--quiet", copyJars, "-DoutputDirectory=lib", "-DincludeScope=runtime")
	})
	if err != nil {
		return err
	}
	for folder, source := range map[string]string{peerClasses: "Peer.java", validatorClasses: "Validator.java"} {
		err := i.part(folder, [][]byte{sources["pom.xml"], sources[source], compiler}, func() error {
			return i.run(programs["javac"], "-proc:none", "-nowarn", "-cp", filepath.Join("lib", "*"), "-d", folder, source)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// part makes one folder anew unless it was made of the same.
func (i installation) part(folder string, from [][]byte, fill func() error) error {
	sum := sha256.Sum256(bytes.Join(from, []byte{0}))
	stamp, digest := filepath.Join(i.dir, folder+".installed"), hex.EncodeToString(sum[:])
	if have, err := os.ReadFile(stamp); err == nil && string(have) == digest {
		return nil
	}
	for _, old := range []string{stamp, filepath.Join(i.dir, folder)} {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	if err := fill(); err != nil {
		return &absence{"HAPI cannot be installed: " + err.Error()}
	}
	return os.WriteFile(stamp, []byte(digest), 0o600)
}

func (i installation) run(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installLimit)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = i.dir
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, out)
	}
	return nil
}

// moduleRoot finds the folder of go.mod above the test.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = above
	}
	return "", err
}

// lock holds a file against other processes.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
