-- What happened, two rows an action (`action` before it is forwarded, `outcome` after it) and one
-- per notable moment. No LowCardinality: making dictionaries costs more than half of an insert, and
-- sorted by session the columns pack as well. `event_id` and `action_id` are computed when read.
-- `segment` is the spool segment that brought the row: what was inserted, and what was not, can be
-- asked afterwards.
CREATE DATABASE IF NOT EXISTS {database};

CREATE TABLE IF NOT EXISTS {database}.events
(
    session_id String CODEC(ZSTD(1)),
    instance String CODEC(ZSTD(1)),
    protocol String CODEC(ZSTD(1)),
    connection String CODEC(ZSTD(1)),
    target_database String CODEC(ZSTD(1)),
    subject String CODEC(ZSTD(1)),
    kind_of_identity String CODEC(ZSTD(1)),
    owner String CODEC(ZSTD(1)),
    job String CODEC(ZSTD(1)),
    run String CODEC(ZSTD(1)),
    agent String CODEC(ZSTD(1)),
    parent_agent String CODEC(ZSTD(1)),
    job_verified Bool,
    client_ip String CODEC(ZSTD(1)),
    roles Array(String) CODEC(ZSTD(1)),
    groups Array(String) CODEC(ZSTD(1)),
    kind String CODEC(ZSTD(1)),
    class String CODEC(ZSTD(1)),
    verb String CODEC(ZSTD(1)),
    objects Array(String) CODEC(ZSTD(1)),
    statement String CODEC(ZSTD(1)),
    statement_hash String CODEC(ZSTD(1)),
    verdict String CODEC(ZSTD(1)),
    rule String CODEC(ZSTD(1)),
    policy_version UInt64 CODEC(T64, LZ4),
    request_id String CODEC(ZSTD(1)),
    facts String CODEC(ZSTD(1)),
    ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    seq UInt64 CODEC(Delta, LZ4),
    action_seq UInt64 CODEC(Delta, LZ4),
    job_seq UInt64 CODEC(Delta, LZ4),
    bytes_up UInt64 CODEC(T64, LZ4),
    parse_us UInt64 CODEC(T64, LZ4),
    decide_us UInt64 CODEC(T64, LZ4),
    wait_us UInt64 CODEC(T64, LZ4),
    params Array(String) CODEC(ZSTD(1)),
    rows UInt64 CODEC(T64, LZ4),
    bytes_down UInt64 CODEC(T64, LZ4),
    upstream_us UInt64 CODEC(T64, LZ4),
    gateway_us UInt64 CODEC(T64, LZ4),
    status String CODEC(ZSTD(1)),
    error String CODEC(ZSTD(1)),
    text String CODEC(ZSTD(1)),
    masked Map(String, UInt64),
    payload_cut Bool,
    payload String CODEC(ZSTD(1)),
    event_id String ALIAS concat(session_id, '-', toString(seq)),
    action_id String ALIAS if(action_seq = 0, '', concat(session_id, '-', toString(action_seq))),
    segment String DEFAULT getSetting('insert_deduplication_token') CODEC(ZSTD(1)),
    INDEX by_time ts TYPE minmax GRANULARITY 1,
    INDEX by_job job TYPE bloom_filter GRANULARITY 4,
    INDEX by_segment segment TYPE bloom_filter GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ts)
ORDER BY (session_id, action_seq, seq)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- One row per start of a gateway; tells sessions that are open from those whose gateway is gone.
CREATE TABLE IF NOT EXISTS {database}.instances
(
    instance String,
    gateway String,
    started DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (gateway, instance);
