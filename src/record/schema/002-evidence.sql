-- Requests for approval and what became of them; one row per change of state.
CREATE TABLE IF NOT EXISTS {database}.requests
(
    ts DateTime64(6, 'UTC'),
    request_id String,
    state LowCardinality(String),
    session_id String,
    action_id String,
    connection LowCardinality(String),
    subject LowCardinality(String),
    job LowCardinality(String),
    rule LowCardinality(String),
    fingerprint String,
    decided_by LowCardinality(String),
    comment String,
    expires DateTime64(6, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (request_id, ts)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Signed heads of the hash chains.
CREATE TABLE IF NOT EXISTS {database}.chains
(
    ts DateTime64(6, 'UTC'),
    chain String,
    size UInt64,
    root String,
    signature String,
    key_id LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (chain, size)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Sealed originals of masked values. No view reads this table, and `audit query` refuses its name.
CREATE TABLE IF NOT EXISTS {database}.sealed
(
    ts DateTime64(6, 'UTC'),
    session_id String,
    event_id String,
    place String,
    key_id LowCardinality(String),
    nonce String,
    ciphertext String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (session_id, event_id, place)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
