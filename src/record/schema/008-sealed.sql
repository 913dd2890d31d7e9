-- Sealed originals: batches of what masks replaced, encrypted with a key of their session (src/record/sealer.ts). An event of
-- kind `sealed` holds the digest of each batch. No view reads these tables, and `audit query` refuses their names.
ALTER TABLE {database}.sealed ADD COLUMN IF NOT EXISTS batch UInt64 DEFAULT 0;
ALTER TABLE {database}.sealed ADD COLUMN IF NOT EXISTS originals UInt64 DEFAULT 0;
ALTER TABLE {database}.sealed ADD COLUMN IF NOT EXISTS cut UInt64 DEFAULT 0;
ALTER TABLE {database}.sealed ADD COLUMN IF NOT EXISTS segment String DEFAULT getSetting('insert_deduplication_token');

-- One row a session: its key, wrapped for the recipients and then by the gateway's key `key_id`. Whoever deletes it makes the
-- session's originals unreadable for ever.
CREATE TABLE IF NOT EXISTS {database}.sealed_keys
(
    ts DateTime64(6, 'UTC'),
    session_id String,
    key_id String,
    recipients Array(String),
    wrapped String,
    segment String DEFAULT getSetting('insert_deduplication_token')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY session_id
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
