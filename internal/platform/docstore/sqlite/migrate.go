package sqlite

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as ours (PRAGMA application_id): "ddcc" in ASCII.
const applicationID = 0x64646363

// SchemaError says that the file is not one this version may open.
type SchemaError struct {
	Reason string
}

// Error gives the reason.
func (e *SchemaError) Error() string { return "docstore/sqlite: " + e.Reason }

// migrate brings the schema up to date in one transaction. The write lock is taken before
// the version is read, so that two starting processes do not both migrate.
func migrate(c *conn) error {
	scripts, err := scripts()
	if err != nil {
		return err
	}
	if err := c.script("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrateLocked(c, scripts); err != nil {
		_ = c.script("ROLLBACK") // the first error says more
		return err
	}
	return c.script("COMMIT")
}

func migrateLocked(c *conn, scripts []string) error {
	app, err := c.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	switch {
	case app != applicationID && (app != 0 || version != 0 || tables != 0):
		return &SchemaError{"the file belongs to another application; choose another path"}
	case version > int64(len(scripts)):
		return &SchemaError{"the file was written by a newer version; run that version or restore a backup"}
	}
	for _, script := range scripts[version:] {
		if err := c.script(script); err != nil {
			return err
		}
	}
	return c.script(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, len(scripts)))
}

// scripts returns the migrations in the order of their file names.
func scripts() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []string
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, string(text))
	}
	return out, nil
}
