package index

// Schema is the DDL of the index, to be run after the table
// resources(rowid INTEGER PRIMARY KEY, type, id, version, updated, deleted, raw), which needs
// a unique index on (type, id). Statements may be run again.
func Schema() string { return ddl }

// Each table has an index by value, for finding, and one by resource, for replacing, sorting
// and components. "res" is the rowid of the resource.
const ddl = `
CREATE TABLE IF NOT EXISTS search_token (
	res INTEGER NOT NULL, type TEXT NOT NULL, param TEXT NOT NULL, grp INTEGER NOT NULL,
	system TEXT NOT NULL, code TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS search_token_value ON search_token (type, param, code, system, res);
CREATE INDEX IF NOT EXISTS search_token_res ON search_token (res, param, grp, code);

CREATE TABLE IF NOT EXISTS search_reference (
	res INTEGER NOT NULL, type TEXT NOT NULL, param TEXT NOT NULL, grp INTEGER NOT NULL,
	target_type TEXT NOT NULL, target_id TEXT NOT NULL, url TEXT NOT NULL, version TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS search_reference_value ON search_reference (target_id, target_type, type, param, res);
CREATE INDEX IF NOT EXISTS search_reference_url ON search_reference (url, type, param, res) WHERE url <> '';
CREATE INDEX IF NOT EXISTS search_reference_res ON search_reference (res, param, grp);

CREATE TABLE IF NOT EXISTS search_string (
	res INTEGER NOT NULL, type TEXT NOT NULL, param TEXT NOT NULL, grp INTEGER NOT NULL,
	folded TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS search_string_value ON search_string (type, param, folded, res);
CREATE INDEX IF NOT EXISTS search_string_res ON search_string (res, param, grp, folded);

CREATE TABLE IF NOT EXISTS search_date (
	res INTEGER NOT NULL, type TEXT NOT NULL, param TEXT NOT NULL, grp INTEGER NOT NULL,
	lo INTEGER NOT NULL, hi INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS search_date_lo ON search_date (type, param, lo, hi, res);
CREATE INDEX IF NOT EXISTS search_date_hi ON search_date (type, param, hi, lo, res);
CREATE INDEX IF NOT EXISTS search_date_res ON search_date (res, param, grp, lo, hi);

CREATE TABLE IF NOT EXISTS search_quantity (
	res INTEGER NOT NULL, type TEXT NOT NULL, param TEXT NOT NULL, grp INTEGER NOT NULL,
	lo REAL NOT NULL, hi REAL NOT NULL, system TEXT NOT NULL, code TEXT NOT NULL, unit TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS search_quantity_value ON search_quantity (type, param, lo, hi, res);
CREATE INDEX IF NOT EXISTS search_quantity_res ON search_quantity (res, param, grp, lo, hi);

CREATE TABLE IF NOT EXISTS search_uri (
	res INTEGER NOT NULL, type TEXT NOT NULL, param TEXT NOT NULL, grp INTEGER NOT NULL,
	text TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS search_uri_value ON search_uri (param, text, type, res);
CREATE INDEX IF NOT EXISTS search_uri_res ON search_uri (res, param, grp, text);
`

// table is where values of one kind are.
type table struct {
	name    string
	columns []string // after res, type, param, grp
	sortAsc string   // what an ascending order looks at, and a descending one
	sortDsc string
}
