package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// conn is one driver connection with its prepared statements. database/sql would add
// locks, pooling and reflection to every statement; here each connection has one user at
// a time anyway. The statements run without a context: they are short, and cancelling
// would cost a goroutine each.
type conn struct {
	driver.Conn
	stmts []driver.Stmt
}

// stmt is a prepared statement of a conn.
type stmt struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
}

// connect opens the file with the settings every connection shares.
func connect(path string, extra ...string) (*conn, error) {
	pragmas := append([]string{
		"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "trusted_schema(0)", "journal_size_limit(67108864)",
	}, extra...)
	q := url.Values{"_pragma": pragmas}
	// SQLite reads a file: URI; the escapes keep "?", "#" and "%" of a path literal.
	path = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	c, err := new(sqlite.Driver).Open("file:" + path + "?" + q.Encode())
	if err != nil {
		return nil, unavailable("open", err)
	}
	return &conn{Conn: c}, nil
}

func (c *conn) prepare(query string) (*stmt, error) {
	s, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(context.Background(), query)
	if err != nil {
		return nil, unavailable("prepare", err)
	}
	c.stmts = append(c.stmts, s)
	return &stmt{exec: s.(driver.StmtExecContext), query: s.(driver.StmtQueryContext)}, nil
}

// Close closes the statements first: SQLite keeps a connection, and its locks, alive for
// as long as one of its statements is.
func (c *conn) Close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// prepareAll prepares each query into its statement.
func (c *conn) prepareAll(queries map[**stmt]string) error {
	for target, query := range queries {
		s, err := c.prepare(query)
		if err != nil {
			return err
		}
		*target = s
	}
	return nil
}

// script runs statements without arguments.
func (c *conn) script(sql string) error {
	_, err := c.Conn.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	if err != nil {
		return unavailable("exec", err)
	}
	return nil
}

// number runs a query for one integer, such as a PRAGMA.
func (c *conn) number(sql string) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	var row [1]driver.Value
	if _, err := s.row(row[:]); err != nil {
		return 0, err
	}
	n, _ := row[0].(int64)
	return n, nil
}

// run executes the statement and returns how many rows it changed.
func (s *stmt) run(args ...driver.Value) (int64, error) {
	res, err := s.exec.ExecContext(context.Background(), named(args))
	if err != nil {
		return 0, unavailable("write", err)
	}
	return res.RowsAffected()
}

// row reads the first row into dest and reports whether there was one.
func (s *stmt) row(dest []driver.Value, args ...driver.Value) (bool, error) {
	found := false
	err := s.each(dest, func() (bool, error) { found = true; return false, nil }, args...)
	return found, err
}

// each reads row after row into dest until use returns false.
func (s *stmt) each(dest []driver.Value, use func() (more bool, err error), args ...driver.Value) (err error) {
	rows, err := s.query.QueryContext(context.Background(), named(args))
	if err != nil {
		return unavailable("read", err)
	}
	defer func() {
		if e := rows.Close(); err == nil && e != nil {
			err = unavailable("read", e)
		}
	}()
	for {
		switch err := rows.Next(dest); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return unavailable("read", err)
		}
		if more, err := use(); err != nil || !more {
			return err
		}
	}
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}

// unavailable wraps a failure of the engine. SQLite's texts name tables, never values.
func unavailable(what string, cause error) error {
	return fmt.Errorf("%w: sqlite %s: %w", docstore.ErrUnavailable, what, cause)
}

// busy reports whether another connection held the lock for too long.
func busy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}
