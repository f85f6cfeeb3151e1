package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

const (
	// checkpointWrites is the number of writes after which the log is copied in the
	// background. A random key changes a page of its own, so it is a few thousand pages.
	checkpointWrites = 2048
	// checkpointPages is the length of the log at which a commit copies the rest of it
	// itself, after which the log starts anew. It bounds the log to about 128 MB.
	checkpointPages = 30000
)

// writer is the connection that writes. Its goroutine alone uses it.
type writer struct {
	queue      *queue
	conn       *conn
	background *conn         // copies the log into the file
	kick       chan struct{} // wakes the background
	running    sync.WaitGroup
	writes     int   // since the last kick
	next       int64 // seq of the next document, valid inside a transaction

	begin, commit, rollback, maxSeq, checkpoint      *stmt
	byID, byKey, expired                             *stmt
	insert, update, remove                           *stmt
	insertKey, removeKey, insertIndex, removeIndexed *stmt
}

func openWriter(ctx context.Context, path string, o Options) (*writer, error) {
	pragmas := []string{fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages), fmt.Sprintf("cache_size(-%d)", o.CacheMiB<<10)}
	c, err := connect(path, pragmas...)
	for i := 0; busy(err) && i < 50; i++ { // turning on WAL does not wait for the lock
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		c, err = connect(path, pragmas...)
	}
	if err != nil {
		return nil, err
	}
	w := &writer{queue: newQueue(), conn: c, kick: make(chan struct{}, 1)}
	if err := w.open(path); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *writer) open(path string) error {
	if err := migrate(w.conn); err != nil {
		return err
	}
	err := w.conn.prepareAll(map[**stmt]string{
		&w.begin:    `BEGIN IMMEDIATE`,
		&w.commit:   `COMMIT`,
		&w.rollback: `ROLLBACK`,
		&w.maxSeq:   `SELECT coalesce(max(seq), 0) FROM document`,
		&w.byID:     selectID,
		&w.byKey:    selectKey,
		&w.expired: `SELECT d.seq, d.id, d.version, d.expires, d.keys, x'', d.collection
			FROM document d WHERE d.expires <= ? ORDER BY d.expires LIMIT ?`,
		&w.insert: `INSERT INTO document (seq, collection, id, version, expires, keys, body)
			VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT (collection, id) DO NOTHING`,
		&w.update:        `UPDATE document SET version = ?, expires = ?, keys = ?, body = ? WHERE seq = ?`,
		&w.remove:        `DELETE FROM document WHERE seq = ?`,
		&w.insertKey:     `INSERT INTO unique_key (digest, seq) VALUES (?, ?) ON CONFLICT DO NOTHING`,
		&w.removeKey:     `DELETE FROM unique_key WHERE digest = ?`,
		&w.insertIndex:   `INSERT INTO index_key (digest, id, seq) VALUES (?, ?, ?)`,
		&w.removeIndexed: `DELETE FROM index_key WHERE digest = ? AND id = ?`,
	})
	if err != nil {
		return err
	}
	if w.background, err = connect(path, "wal_autocheckpoint(0)", "cache_size(-64)"); err != nil {
		return err
	}
	w.checkpoint, err = w.background.prepare(`PRAGMA wal_checkpoint(PASSIVE)`)
	return err
}

// start runs the writer until the queue is closed and the background until closing is.
func (w *writer) start(closing <-chan struct{}) {
	w.running.Go(func() {
		for group := w.queue.group(); group != nil; group = w.queue.group() {
			w.perform(group)
		}
	})
	w.running.Go(func() {
		for {
			select {
			case <-closing:
				return
			case <-w.kick:
				// A failure changes nothing: the pages stay in the log, and a commit
				// that has to copy them itself will report it.
				var state [3]driver.Value
				_, _ = w.checkpoint.row(state[:])
			}
		}
	})
}

// wait ends the writer after the operations already in the queue.
func (w *writer) wait() {
	w.queue.close()
	w.running.Wait()
}

func (w *writer) close() error {
	var err error
	if w.background != nil {
		err = w.background.Close()
	}
	return errors.Join(err, w.conn.Close())
}

// perform runs a group in one transaction and answers every operation of it.
func (w *writer) perform(group []*operation) {
	refusals := make([]error, len(group))
	failed := w.transaction(func() error {
		for i, o := range group {
			if refusals[i] = o.run(w); errors.Is(refusals[i], docstore.ErrUnavailable) {
				return errOperation
			}
		}
		return nil
	})
	if errors.Is(failed, errOperation) && len(group) > 1 {
		for _, o := range group {
			w.perform([]*operation{o})
		}
		return
	}
	for i, o := range group {
		if failed != nil && !errors.Is(refusals[i], docstore.ErrUnavailable) {
			refusals[i] = failed
		}
		o.result <- refusals[i]
	}
	w.count(len(group))
}

// errOperation says that the transaction ended because of one operation.
var errOperation = fmt.Errorf("%w: a write failed", docstore.ErrUnavailable)

// transaction commits what use does, or nothing.
func (w *writer) transaction(use func() error) error {
	_, err := w.begin.run()
	if err != nil {
		return err
	}
	if err = w.seek(); err == nil {
		err = use()
	}
	if err == nil {
		_, err = w.commit.run()
	}
	if err != nil {
		// SQLite may have rolled back by itself, then this one fails.
		_, _ = w.rollback.run()
	}
	return err
}

// seek finds the place of the next document; another process may have moved it.
func (w *writer) seek() error {
	var last [1]driver.Value
	if _, err := w.maxSeq.row(last[:]); err != nil {
		return err
	}
	n, _ := last[0].(int64)
	w.next = n + 1
	return nil
}

// count wakes the background after enough writes.
func (w *writer) count(n int) {
	if w.writes += n; w.writes < checkpointWrites {
		return
	}
	w.writes = 0
	select {
	case w.kick <- struct{}{}:
	default:
	}
}
