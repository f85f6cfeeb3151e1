package config_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

type files struct {
	Cert string `name:"cert" help:"Certificate."`
}

func (f files) Validate() error {
	if f.Cert == "" {
		return config.Invalid("cert", "not set; give a PEM file")
	}
	return nil
}

type settings struct {
	Environment config.Environment `required:"" help:"Where the process runs."`
	Listen      string             `default:"127.0.0.1:8443" help:"Address to serve on."`
	Timeout     time.Duration      `default:"30s" help:"Of one request."`
	Batch       int                `default:"10" help:"Size of a batch."`
	Callers     []string           `help:"Names of allowed callers."`
	Limits      map[string]int     `help:"Requests a second by route."`
	Probe       bool               `help:"Answer probes."`
	Level       string             `enum:"debug,info" default:"info" help:"Log level."`
	Password    config.SecretFile  `help:"Password file."`
	TLS         files              `embed:"" prefix:"tls-"`
}

func (s *settings) Validate() error {
	var errs []error
	if s.Batch < 1 {
		errs = append(errs, config.Invalid("batch", "must be at least 1"))
	}
	if s.Environment.IsProduction() {
		errs = append(errs, config.Under("tls-", s.TLS.Validate()))
	}
	return errors.Join(errs...)
}

func parse(t *testing.T, environ []string, args ...string) (config.Result[settings], error) {
	t.Helper()
	return config.Parse[settings](config.Program{
		Name: "gateway", Description: "The gateway.", Prefix: "GATEWAY_",
		Args: args, Environ: environ, Stdout: io.Discard,
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseOrderOfSources(t *testing.T) {
	t.Parallel()
	file := write(t, `{"environment":"development","listen":"file:1","timeout":"1m","batch":7,
		"callers":["a,b","c"],"limits":{"/livez":5,"/fhir":2},"probe":true}`)
	res, err := parse(t, []string{"GATEWAY_CONFIG=" + file, "GATEWAY_LISTEN=env:1", "GATEWAY_TIMEOUT=2m", "PATH=/bin"},
		"--timeout=3m")
	if err != nil {
		t.Fatal(err)
	}
	want := settings{
		Environment: config.Development, Listen: "env:1", Timeout: 3 * time.Minute, Batch: 7,
		Callers: []string{"a,b", "c"}, Limits: map[string]int{"/livez": 5, "/fhir": 2}, Probe: true, Level: "info",
	}
	if d := cmp.Diff(want, res.Config); d != "" {
		t.Error(d)
	}
}

func TestParseConfigFlagWinsOverVariable(t *testing.T) {
	t.Parallel()
	a := write(t, `{"environment":"development","batch":1}`)
	b := write(t, `{"environment":"development","batch":2}`)
	res, err := parse(t, []string{"GATEWAY_CONFIG=" + a}, "--config", b)
	if err != nil || res.Config.Batch != 2 {
		t.Fatalf("batch %d, %v", res.Config.Batch, err)
	}
}

func TestParseShowsAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	file := write(t, `{"lisTen":"x","probe":"maybe-secret","limits":[1]}`)
	_, err := parse(t, []string{
		"GATEWAY_CONFIG=" + file,
		"GATEWAY_TIMEOUT=hunter2",
		"GATEWAY_BATCH=0",
		"GATEWAY_LEVEL=loud",
		"GATEWAY_LISTNE=x",
		"GATEWAY_SERVICE_HOST=10.0.0.1",
	})
	var problems *config.Error
	if !errors.As(err, &problems) {
		t.Fatalf("Parse = %v, want *config.Error", err)
	}
	for _, want := range []string{
		`GATEWAY_LISTNE: no such setting`,
		`GATEWAY_SERVICE_HOST: no such setting; it looks like a Kubernetes service link: set enableServiceLinks`,
		`key "lisTen" of the configuration file: no such setting`,
		`key "probe" of the configuration file: must be true or false`,
		`key "limits" of the configuration file: must be one value, not a list`,
		`--timeout (GATEWAY_TIMEOUT): must be a duration`,
		`--batch (GATEWAY_BATCH): must be at least 1`,
		`--level (GATEWAY_LEVEL): must be one of debug, info`,
		`--environment (GATEWAY_ENVIRONMENT): is required`,
		`--tls-cert (GATEWAY_TLS_CERT): not set`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing problem: %s", want)
		}
	}
	if len(problems.Problems) != 10 {
		t.Errorf("%d problems, want 10:\n%v", len(problems.Problems), err)
	}
	for _, value := range []string{"hunter2", "maybe-secret", "loud"} {
		if strings.Contains(err.Error(), value) {
			t.Errorf("the value %q is shown", value)
		}
	}
}

func TestParseSingleProblems(t *testing.T) {
	t.Parallel()
	ok := "GATEWAY_ENVIRONMENT=development"
	tests := map[string]struct {
		env  []string
		args []string
		file string
		want string
	}{
		"unknown flag":          {env: []string{ok}, args: []string{"--no-such"}, want: "unknown flag --no-such"},
		"unexpected argument":   {env: []string{ok}, args: []string{"surplus"}, want: "unexpected argument surplus"},
		"bad environment":       {env: []string{"GATEWAY_ENVIRONMENT=prod"}, want: "--environment (GATEWAY_ENVIRONMENT): must be development or production"},
		"empty environment":     {env: []string{"GATEWAY_ENVIRONMENT="}, want: "must be development or production"},
		"lower case variable":   {env: []string{ok, "GATEWAY_batch=3"}, want: "GATEWAY_batch: no such setting"},
		"help is no variable":   {env: []string{ok, "GATEWAY_HELP=1"}, want: "GATEWAY_HELP: no such setting"},
		"number out of range":   {env: []string{ok, "GATEWAY_BATCH=99999999999999999999"}, want: "whole number in range"},
		"duplicate key":         {env: []string{ok}, file: `{"batch":1,"batch":2}`, want: "/batch occurs twice"},
		"two documents":         {env: []string{ok}, file: `{} {}`, want: "not valid JSON at byte"},
		"null":                  {env: []string{ok}, file: `{"batch":null}`, want: `key "batch" of the configuration file: must be a string`},
		"config in config":      {env: []string{ok}, file: `{"config":"x"}`, want: `key "config" of the configuration file: no such setting`},
		"list not text":         {env: []string{ok}, file: `{"callers":"a"}`, want: "must be a JSON list or object"},
		"nested list":           {env: []string{ok}, file: `{"callers":[["a"]]}`, want: "each entry must be"},
		"not an object":         {env: []string{ok}, file: `[]`, want: "the document does not fit"},
		"configuration missing": {env: []string{ok, "GATEWAY_CONFIG=/does/not/exist"}, want: "--config (GATEWAY_CONFIG)"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.file != "" {
				tc.env = append(tc.env, "GATEWAY_CONFIG="+write(t, tc.file))
			}
			_, err := parse(t, tc.env, tc.args...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Parse = %v\nwant %q in it", err, tc.want)
			}
			if got := config.ExitCode(err); got != config.ExitUsage {
				t.Errorf("exit code %d, want %d", got, config.ExitUsage)
			}
		})
	}
}

func TestParseReadsNothingFromTheProcess(t *testing.T) {
	t.Setenv("GATEWAY_BATCH", "77")
	t.Setenv("GATEWAY_UNKNOWN", "x")
	res, err := parse(t, []string{"GATEWAY_ENVIRONMENT=development"})
	if err != nil || res.Config.Batch != 10 {
		t.Fatalf("batch %d, %v: the environment of the process was read", res.Config.Batch, err)
	}
}

func TestParseHelpIsComplete(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	res, err := config.Parse[settings](config.Program{
		Name: "gateway", Description: "The gateway.", Prefix: "GATEWAY_",
		Args: []string{"--help"}, Stdout: &out,
	})
	if err != nil || !res.Exit {
		t.Fatalf("Exit %v, %v", res.Exit, err)
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"Usage: gateway", "The gateway.",
		"--environment", "(required, $GATEWAY_ENVIRONMENT)", "--tls-cert", "($GATEWAY_TLS_CERT)",
		"--timeout=30s", "($GATEWAY_TIMEOUT)", "--config=FILE", "($GATEWAY_CONFIG)", "--level", "($GATEWAY_PASSWORD)",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("help lacks %q:\n%s", want, out.String())
		}
	}
}

type withCommands struct {
	Listen string     `default:":1" help:"Address."`
	Run    runCommand `cmd:"" help:"Run modules."`

	CheckConfig struct {
		Profile string `arg:"" help:"Profile to check."`
	} `cmd:"" help:"Check the configuration."`
}

type runCommand struct {
	Modules []string `arg:"" optional:"" help:"Modules to run."`
	Workers int      `default:"2" help:"Workers."`
}

func (r runCommand) Validate() error {
	if r.Workers < 1 {
		return config.Invalid("workers", "must be at least 1")
	}
	return nil
}

func TestParseCommands(t *testing.T) {
	t.Parallel()
	program := config.Program{Name: "gateway", Prefix: "GATEWAY_", Stdout: io.Discard,
		Args: []string{"run", "mediator", "trust"}, Environ: []string{"GATEWAY_WORKERS=9"}}
	res, err := config.Parse[withCommands](program)
	if err != nil {
		t.Fatal(err)
	}
	if res.Command != "run <modules>" || res.Config.Run.Workers != 9 || len(res.Config.Run.Modules) != 2 {
		t.Errorf("got %q %+v", res.Command, res.Config.Run)
	}

	program.Args = []string{"check-config", "production"} // knows the variables of the other command
	if res, err := config.Parse[withCommands](program); err != nil || res.Command != "check-config <profile>" {
		t.Errorf("%q, %v", res.Command, err)
	}
	for want, args := range map[string][]string{
		"a command is missing; choose one of run, check-config": nil,
		"the argument <profile> is missing":                     {"check-config"},
		"--workers (GATEWAY_WORKERS): must be at least 1":       {"run", "--workers=0"},
	} {
		program.Args = args
		if _, err := config.Parse[withCommands](program); err == nil || !strings.Contains(err.Error(), want) || config.ExitCode(err) != 2 {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

func TestParseRefusesUnusableStructs(t *testing.T) {
	t.Parallel()
	type twice struct {
		Config string `help:"Clashes with the built-in flag."`
	}
	type envTag struct {
		Listen string `env:"LISTEN" help:"Has a variable of its own."`
	}
	type exclusive struct {
		A string `xor:"one" help:"A."`
		B string `xor:"one" help:"B."`
	}
	_, errXor := config.Parse[exclusive](config.Program{Prefix: "X_"})
	_, errTwice := config.Parse[twice](config.Program{Prefix: "X_"})
	_, errEnv := config.Parse[envTag](config.Program{Prefix: "X_"})
	for _, err := range []error{errTwice, errEnv, errXor} {
		if err == nil || config.ExitCode(err) != config.ExitRuntime {
			t.Errorf("error %v, exit code %d", err, config.ExitCode(err))
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	if config.ExitCode(nil) != 0 || config.ExitCode(errors.New("x")) != 1 || config.ExitCode(&config.Error{}) != 2 {
		t.Error("exit codes are not 0, 1, 2")
	}
}
