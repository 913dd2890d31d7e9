-- Heads are kept as the text that was signed; the columns of 002 repeat parts of it for whoever looks at them with SQL.
ALTER TABLE {database}.chains ADD COLUMN IF NOT EXISTS number UInt64 DEFAULT 0;
ALTER TABLE {database}.chains ADD COLUMN IF NOT EXISTS kind String DEFAULT '';
ALTER TABLE {database}.chains ADD COLUMN IF NOT EXISTS text String DEFAULT '';
ALTER TABLE {database}.chains ADD COLUMN IF NOT EXISTS peaks Array(String) DEFAULT [];

-- Leaves of the tree: each speaks for a run of one session's events. Written at least once: equal rows are one leaf.
-- `salt` and `hints` go where the contents of the events are erased.
CREATE TABLE IF NOT EXISTS {database}.chain_leaves
(
    ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    chain String CODEC(ZSTD(1)),
    n UInt64 CODEC(Delta, LZ4),
    session_id String CODEC(ZSTD(1)),
    first_seq UInt64 CODEC(T64, LZ4),
    last_seq UInt64 CODEC(T64, LZ4),
    text String CODEC(ZSTD(1)),
    salt String CODEC(ZSTD(1)),
    hints String CODEC(ZSTD(1)),
    INDEX by_session session_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (chain, n)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Public keys that heads are signed with, each signed by the one before.
CREATE TABLE IF NOT EXISTS {database}.chain_keys
(
    ts DateTime64(6, 'UTC'),
    chain String,
    key_id String,
    text String,
    signature String
)
ENGINE = MergeTree
ORDER BY (chain, ts, key_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
