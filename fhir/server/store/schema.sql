CREATE TABLE resources (
	rowid   INTEGER PRIMARY KEY,
	type    TEXT    NOT NULL,
	id      TEXT    NOT NULL,
	version INTEGER NOT NULL,
	updated INTEGER NOT NULL, -- unix milliseconds
	deleted INTEGER NOT NULL, -- 0 or 1
	method  TEXT    NOT NULL, -- what made this version: POST, PUT, PATCH, DELETE
	seq     INTEGER NOT NULL, -- place among all versions
	raw     BLOB    NOT NULL, -- as it was sent; empty when deleted
	UNIQUE (type, id)
) STRICT;
CREATE INDEX resources_seq ON resources (seq);
CREATE INDEX resources_type_seq ON resources (type, seq);

CREATE TABLE history (
	resource INTEGER NOT NULL, -- resources.rowid
	type     TEXT    NOT NULL,
	id       TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	updated  INTEGER NOT NULL,
	deleted  INTEGER NOT NULL,
	method   TEXT    NOT NULL,
	seq      INTEGER PRIMARY KEY,
	raw      BLOB    NOT NULL,
	UNIQUE (resource, version)
) STRICT;
CREATE INDEX history_type_seq ON history (type, seq);
CREATE INDEX history_type_id_seq ON history (type, id, seq);
