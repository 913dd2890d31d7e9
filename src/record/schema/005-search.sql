-- What auditors look for, so that what cannot hold it is not read. Time, session and segment have theirs in 001. What is there
-- already gets them in the background, as parts are merged; until then it is read. A store older than ClickHouse 26 has no index of
-- words with places, and gets one of words.
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_who (subject, owner, job, connection) TYPE bloom_filter GRANULARITY 1;
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_kind (kind, class, verdict, status) TYPE set(128) GRANULARITY 1;
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_rule rule TYPE bloom_filter GRANULARITY 1;
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_object objects TYPE bloom_filter GRANULARITY 1;
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_masked mapKeys(masked) TYPE bloom_filter GRANULARITY 1;
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_word lower(statement) TYPE text(tokenizer = splitByNonAlpha)
-- otherwise
ALTER TABLE {database}.events ADD INDEX IF NOT EXISTS by_word lower(statement) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1;
ALTER TABLE {database}.events DROP INDEX IF EXISTS by_job;
