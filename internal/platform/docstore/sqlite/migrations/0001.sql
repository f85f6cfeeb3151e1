-- Bodies are appended in order of seq, so that a random id touches small index pages and
-- never the large ones. unique_key and index_key hold 16 bytes of SHA-256 over collection
-- and key instead of the key: entries stay short, and short entries keep indexes cached.
CREATE TABLE document (
  seq        INTEGER PRIMARY KEY,
  collection TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  expires    INTEGER,          -- Unix seconds; NULL is never
  keys       BLOB    NOT NULL, -- JSON: unique keys, index keys
  body       BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX document_id ON document (collection, id);
CREATE INDEX document_expiry ON document (expires) WHERE expires IS NOT NULL;

-- No foreign key to document: SQLite would need one more index, on seq, to check each
-- delete. One function writes both tables, and the crash test proves they agree.
CREATE TABLE unique_key (
  digest BLOB    PRIMARY KEY,
  seq    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE index_key (
  digest BLOB    NOT NULL,
  id     TEXT    NOT NULL,
  seq    INTEGER NOT NULL,
  PRIMARY KEY (digest, id)
) STRICT, WITHOUT ROWID;
