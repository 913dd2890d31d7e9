-- Users of a ClickHouse server that holds the record of Sluice (`recorder.store: { url, user, password }`). Run it once as an
-- administrator, after you have set the two passwords; database `sluice`. On a cluster put ON CLUSTER '<name>' behind each name of a
-- role, user or profile, and run the statements at the end.

-- The gateway: makes and changes its own database, and nothing else.
CREATE ROLE IF NOT EXISTS sluice_gateway;
GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, TRUNCATE, OPTIMIZE ON sluice.* TO sluice_gateway;
GRANT SELECT ON system.tables TO sluice_gateway;
GRANT SELECT ON system.mutations TO sluice_gateway;
CREATE USER IF NOT EXISTS sluice IDENTIFIED WITH sha256_password BY 'set-me' DEFAULT ROLE sluice_gateway;
GRANT sluice_gateway TO sluice;

-- Auditors, Grafana, DBeaver: read the record, and neither sealed originals nor our book-keeping. Rights to files, URLs, other servers,
-- dictionaries and temporary tables are not given, so SQL reaches nothing else.
CREATE ROLE IF NOT EXISTS sluice_auditor;
GRANT SELECT ON sluice.events TO sluice_auditor;
GRANT SELECT ON sluice.sessions TO sluice_auditor;
GRANT SELECT ON sluice.requests TO sluice_auditor;
GRANT SELECT ON sluice.chains TO sluice_auditor;
GRANT SELECT ON sluice.chain_leaves TO sluice_auditor;
GRANT SELECT ON sluice.chain_keys TO sluice_auditor;
GRANT SELECT ON sluice.statements TO sluice_auditor;
GRANT SELECT ON sluice.masked_access TO sluice_auditor;
GRANT SELECT ON sluice.approvals TO sluice_auditor;
GRANT SELECT ON sluice.refusals TO sluice_auditor;
GRANT SELECT ON sluice.admin_actions TO sluice_auditor;
GRANT SELECT ON sluice.job_timeline TO sluice_auditor;
GRANT SELECT ON sluice.latency TO sluice_auditor;
-- The view `sessions` reads it with the rights of whoever asks: which gateways run.
GRANT SELECT ON sluice.instances TO sluice_auditor;
CREATE SETTINGS PROFILE IF NOT EXISTS sluice_auditor SETTINGS
    readonly = 2 CONST,
    allow_ddl = 0 CONST,
    allow_introspection_functions = 0 CONST,
    max_execution_time = 30 MAX 120,
    max_memory_usage = 4000000000 MAX 8000000000,
    max_result_bytes = 1000000000 MAX 4000000000,
    max_concurrent_queries_for_user = 8 CONST
    TO sluice_auditor;
CREATE USER IF NOT EXISTS auditor IDENTIFIED WITH sha256_password BY 'set-me' DEFAULT ROLE sluice_auditor DEFAULT DATABASE sluice;
GRANT sluice_auditor TO auditor;

-- Only on a cluster: the gateway runs ON CLUSTER and through distributed tables, and auditors read what stands behind those (needed where
-- the servers know each other by a `secret`; otherwise shards are read by the user of `remote_servers`).
-- GRANT CLUSTER, REMOTE ON *.* TO sluice_gateway;
-- GRANT REMOTE ON *.* TO sluice_auditor;
-- GRANT SELECT ON sluice.events_local TO sluice_auditor;
-- GRANT SELECT ON sluice.requests_local TO sluice_auditor;
-- GRANT SELECT ON sluice.chains_local TO sluice_auditor;
-- GRANT SELECT ON sluice.chain_leaves_local TO sluice_auditor;
-- GRANT SELECT ON sluice.chain_keys_local TO sluice_auditor;
-- GRANT SELECT ON sluice.instances_local TO sluice_auditor;
