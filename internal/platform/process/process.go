// Package process is what every long-running binary of the gateway has in common: its
// log, its admin listener with health and metrics, and how it ends.
//
// The admin listener is plain HTTP and therefore bound to loopback; it shows no data of
// requests. A process started with ExitWithStdin ends when its standard input closes, so
// that it cannot outlive the one that started it, however that one died.
package process

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/internal/platform/telemetry"
)

// Flags are the settings every binary has; embed it in its configuration.
type Flags struct {
	Environment   config.Environment `required:"" help:"development, or production: then software keys, embedded stores and plain HTTP beyond loopback are refused." placeholder:"NAME"`
	LogLevel      string             `default:"info" enum:"debug,info,warn,error" help:"Least severe level to log."`
	LogFormat     string             `default:"json" enum:"json,text" help:"Format of the log on standard error."`
	AdminListen   string             `default:"127.0.0.1:0" help:"Loopback address of /livez, /readyz and /metrics (plain HTTP)." placeholder:"HOST:PORT"`
	ExitWithStdin bool               `help:"Stop when standard input closes, so that the process ends with the one that started it."`
}

// Validate checks what kong cannot.
func (f Flags) Validate() error {
	host, _, err := net.SplitHostPort(f.AdminListen)
	if err != nil {
		return config.Invalid("admin-listen", "is not host:port")
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return config.Invalid("admin-listen", "must be a loopback address, because it is plain HTTP")
	}
	return nil
}

// Process is a running binary.
type Process struct {
	Log       *slog.Logger
	Registry  *prometheus.Registry
	Metrics   *telemetry.HTTPMetrics
	Readiness *httpx.Readiness
	Build     telemetry.Build

	flags Flags
	stdin io.Reader
}

// Garbage collection: the live heap of these processes is small (about 15 MiB) and they
// allocate much a request, so a larger heap buys a fifth of the processor time. The soft
// limit keeps it from being bought with unbounded memory.
const (
	gcPercent   = 300
	memoryLimit = 96 << 20
)

// tuneGC leaves both to the operator where GOGC or GOMEMLIMIT is set.
func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// New sets up log, metrics and readiness. Checks name the dependencies of the binary.
func New(f Flags, stdin io.Reader, stderr io.Writer, checks map[string]httpx.Check) (*Process, error) {
	tuneGC()
	log, err := telemetry.NewLogger(stderr, f.LogLevel, f.LogFormat)
	if err != nil {
		return nil, err
	}
	build := telemetry.ReadBuild()
	registry, err := telemetry.NewRegistry(build)
	if err != nil {
		return nil, err
	}
	metrics, err := telemetry.NewHTTPMetrics(registry)
	if err != nil {
		return nil, err
	}
	return &Process{
		Log: log, Registry: registry, Metrics: metrics, Build: build,
		Readiness: httpx.NewReadiness(checks, httpx.ReadyOptions{Log: log}),
		flags:     f, stdin: stdin,
	}, nil
}

// errStdin ends a process whose starter is gone.
var errStdin = errors.New("standard input closed")

// Run serves the admin listener beside the tasks until one fails or ctx ends.
func (p *Process) Run(ctx context.Context, tasks ...task.Func) error {
	admin, err := p.admin()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if p.flags.ExitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, p.stdin)
			stop(errStdin)
		}()
	}
	return task.Run(ctx, append([]task.Func{admin.Serve}, tasks...)...)
}

func (p *Process) admin() (*httpx.Server, error) {
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: p.Log, Quiet: []string{"/livez", "/readyz", "/metrics"}})
	if err != nil {
		return nil, err
	}
	engine.GET("/livez", httpx.Livez)
	engine.GET("/readyz", p.Readiness.Handler)
	handler := telemetry.Handler(p.Registry)
	engine.GET("/metrics", wrap(handler))
	server, err := httpx.NewServer(httpx.ServerOptions{Addr: p.flags.AdminListen, Handler: engine, Log: p.Log})
	if err != nil {
		return nil, err
	}
	addr, err := server.Listen()
	if err != nil {
		return nil, err
	}
	p.Log.Info("admin listening", slog.String("address", addr.String()))
	return server, nil
}

// Every calls f at each interval until ctx ends; f logs its own failures.
func Every(interval time.Duration, f func(ctx context.Context)) task.Func {
	return func(ctx context.Context) error {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
				f(ctx)
			}
		}
	}
}
