package delivery

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// Options wire a Worker. Queue, Bell, Servers, Log and Clock are required.
type Options struct {
	Queue   Queue
	Bell    *Bell
	Servers func(name string) (Server, bool) // those of the configuration
	Log     *slog.Logger
	Clock   func() time.Time
	// Observe hears of each attempt when it has ended; the calls it made are in the
	// orchestration record of ctx. nil: nobody.
	Observe func(ctx context.Context, a Attempt)

	Workers int           // folders at a time; default 8
	Timeout time.Duration // of one delivery; default 2 min
	Poll    time.Duration // how often the outbox is looked at unasked; default 30 s
	// FirstPause is how long a server that fails is left alone, LongestPause what that grows
	// to, doubled each time; defaults 1 s and 2 min. Of a single delivery that fails it is
	// twice as long.
	FirstPause, LongestPause time.Duration
	Rand                     func() float64 // default math/rand/v2; spreads the pauses
}

// Attempt is one attempt at one delivery.
type Attempt struct {
	CertificateID string
	Issuer        string // id of who had it issued
	Kind          issuance.DeliveryKind
	Target        string // name of the FHIR server
	Began         time.Time
	Took          time.Duration
	Outcome       string // delivered, refused, away, failed, overtaken or hindered
	Code          string // of the failure; empty when delivered
}

// Worker empties the outbox. Make one a process, and run it once.
type Worker struct {
	o      Options
	pacing pacing
	work   chan string   // folders
	kick   chan struct{} // capacity 1: the outbox has something that can be delivered

	mu      sync.Mutex
	paces   map[string]*pace
	rows    map[string]row  // by certificate; those that failed
	running map[string]bool // folders in work; true: once more afterwards
	stats   map[string]*Target
}

// row is a delivery that failed and is left alone for a while.
type row struct {
	failures int
	until    time.Time
}

// New checks the wiring.
func New(o Options) (*Worker, error) {
	if o.Queue == nil || o.Bell == nil || o.Servers == nil || o.Log == nil || o.Clock == nil {
		return nil, errors.New("delivery: a dependency is missing")
	}
	o.Workers = positive(o.Workers, 8)
	o.Timeout = positive(o.Timeout, 2*time.Minute)
	o.Poll = positive(o.Poll, 30*time.Second)
	o.FirstPause = positive(o.FirstPause, time.Second)
	o.LongestPause = positive(o.LongestPause, 2*time.Minute)
	if o.Rand == nil {
		o.Rand = rand.Float64 // spreads load, protects nothing
	}
	if o.Observe == nil {
		o.Observe = func(context.Context, Attempt) {}
	}
	return &Worker{
		o: o, pacing: pacing{first: o.FirstPause, longest: o.LongestPause, rand: o.Rand},
		work: make(chan string), kick: make(chan struct{}, 1),
		paces: map[string]*pace{}, rows: map[string]row{}, running: map[string]bool{}, stats: map[string]*Target{},
	}, nil
}

func positive[N int | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// Run empties the outbox until ctx ends. A delivery that is under way then is done again
// after the next start.
func (w *Worker) Run(ctx context.Context) error {
	tasks := []task.Func{w.listen, w.watch, w.drain}
	for range w.o.Workers {
		tasks = append(tasks, w.carry)
	}
	return task.Run(ctx, tasks...)
}

// listen hands on what the bell rings for.
func (w *Worker) listen(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.o.Bell.signal:
			for _, folder := range w.o.Bell.take() {
				w.submit(ctx, folder)
			}
		}
	}
}

// submit hands a folder to a worker, or has the one that is at it look once more.
func (w *Worker) submit(ctx context.Context, folder string) {
	w.mu.Lock()
	_, busy := w.running[folder]
	w.running[folder] = busy
	w.mu.Unlock()
	if busy {
		return
	}
	select {
	case w.work <- folder:
	case <-ctx.Done():
	}
}

// carry is one worker.
func (w *Worker) carry(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case folder := <-w.work:
			for again := true; again; again = w.again(folder) {
				w.guarded(ctx, folder)
			}
		}
	}
}

// again reports whether somebody asked for the folder meanwhile, or lets go of it.
func (w *Worker) again(folder string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running[folder] {
		w.running[folder] = false
		return true
	}
	delete(w.running, folder)
	return false
}

// guarded delivers a folder; a panic costs that attempt alone.
func (w *Worker) guarded(ctx context.Context, folder string) {
	err := task.Protect(ctx, func(ctx context.Context) error { return w.folder(ctx, folder) })
	if err == nil || ctx.Err() != nil {
		return
	}
	w.o.Log.WarnContext(ctx, "outbox of deliveries", slog.Any("error", err))
	w.later(folder, w.pacing.after(maxOdd))
}

// later has the folder looked at after a while.
func (w *Worker) later(folder string, pause time.Duration) {
	time.AfterFunc(pause, func() { w.o.Bell.Due(folder) })
}

// folder delivers what is open in a folder, in order of issue, until something has to wait.
func (w *Worker) folder(ctx context.Context, id string) error {
	all, err := w.o.Queue.InFolder(ctx, id)
	if err != nil {
		return err
	}
	for i, d := range all {
		if d.State != issuance.DeliveryOpen {
			continue
		}
		if next, err := w.deliver(ctx, d, all[i+1:]); !next {
			return err
		}
	}
	return nil
}

// deliver does one delivery; next: the one behind it may follow. Its error is trouble of our
// own.
func (w *Worker) deliver(ctx context.Context, d issuance.Delivery, later []issuance.Delivery) (next bool, err error) {
	server, known := w.o.Servers(d.To)
	if !known {
		return false, w.astray(ctx, d)
	}
	began, pace := w.o.Clock(), w.paceOf(d.To)
	if w.waits(d.ID, began) {
		return false, nil
	}
	admitted, trial := pace.admit(began)
	if !admitted {
		return false, nil
	}
	if trial {
		defer func() {
			pace.tried()
			poke(w.kick) // the others were turned away meanwhile
		}()
	}
	ctx, _ = orchestration.With(ctx)
	err = w.attempt(ctx, server, d, later)
	if ctx.Err() != nil {
		return false, nil // the process ends
	}
	return w.conclude(ctx, d, began, err)
}

// attempt has a conversation with the server.
func (w *Worker) attempt(ctx context.Context, server Server, d issuance.Delivery, later []issuance.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	c := conversation{server: server, queue: w.o.Queue, at: d, now: w.o.Clock, pause: w.contend}
	for _, l := range later {
		c.later = append(c.later, l.ID)
	}
	return c.run(ctx)
}

// contendedPause is about what a transaction of another writer takes.
const contendedPause = 20 * time.Millisecond

// contend waits before the folder is read anew.
func (w *Worker) contend(ctx context.Context, round int) error {
	return task.Sleep(ctx, time.Duration(w.o.Rand()*float64(round)*float64(contendedPause)))
}

// astray looks after a delivery to a server that the configuration does not have any more. A
// registration goes to the present one; a withdrawal from anywhere else is none, and waits.
func (w *Worker) astray(ctx context.Context, d issuance.Delivery) error {
	if !w.movable(d) {
		return nil
	}
	if err := w.o.Queue.Move(ctx, d, w.o.Bell.Target()); err != nil {
		return err
	}
	w.o.Bell.Due(d.FolderID)
	return nil
}

// movable reports whether a delivery may go to the present server in place of its own.
func (w *Worker) movable(d issuance.Delivery) bool {
	_, known := w.o.Servers(w.o.Bell.Target())
	return known && d.Kind == issuance.DeliverRegistration
}

func (w *Worker) paceOf(target string) *pace {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.paces[target]
	if !ok {
		p = &pace{pacing: w.pacing}
		w.paces[target] = p
	}
	return p
}

// waits reports whether a delivery failed a short while ago.
func (w *Worker) waits(certificateID string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return now.Before(w.rows[certificateID].until)
}
