-- Legal holds, as every gateway on this store must know them: one row per change. Each is kept in the state database of the
-- gateway that has it, which puts back what is missing here.
CREATE TABLE IF NOT EXISTS {database}.holds
(
    ts DateTime64(6, 'UTC'),
    hold String,
    kind String,
    name String,
    reason String,
    changed_by String,
    gateway String,
    is_removed Bool
)
ENGINE = MergeTree
ORDER BY (hold, ts)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
