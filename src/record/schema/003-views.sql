-- One row per action: what was asked, what was decided, what came of it. `unknown`: no outcome was
-- recorded.
CREATE OR REPLACE VIEW {database}.statements AS
SELECT
    session_id,
    action_seq,
    concat(session_id, '-', toString(action_seq)) AS action_id,
    min(e.ts) AS ts,
    any(e.instance) AS instance,
    any(e.protocol) AS protocol,
    any(e.connection) AS connection,
    any(e.target_database) AS target_database,
    any(e.subject) AS subject,
    any(e.kind_of_identity) AS kind_of_identity,
    any(e.owner) AS owner,
    any(e.job) AS job,
    any(e.run) AS run,
    any(e.agent) AS agent,
    any(e.parent_agent) AS parent_agent,
    any(e.job_verified) AS job_verified,
    any(e.client_ip) AS client_ip,
    any(e.roles) AS roles,
    any(e.groups) AS groups,
    min(e.job_seq) AS job_seq,
    any(e.class) AS class,
    any(e.verb) AS verb,
    anyIf(e.objects, e.kind = 'action') AS objects,
    anyIf(e.statement, e.kind = 'action') AS statement,
    anyIf(e.statement_hash, e.kind = 'action') AS statement_hash,
    anyIf(e.params, e.kind = 'action') AS params,
    anyIf(e.facts, e.kind = 'action') AS facts,
    any(e.verdict) AS verdict,
    any(e.rule) AS rule,
    any(e.policy_version) AS policy_version,
    any(e.request_id) AS request_id,
    sum(e.rows) AS rows,
    sum(e.bytes_up) AS bytes_up,
    sum(e.bytes_down) AS bytes_down,
    anyIf(e.masked, e.kind = 'outcome') AS masked,
    sum(e.parse_us) AS parse_us,
    sum(e.decide_us) AS decide_us,
    sum(e.wait_us) AS wait_us,
    sum(e.upstream_us) AS upstream_us,
    sum(e.gateway_us) AS gateway_us,
    if(countIf(e.kind = 'outcome') = 0, 'unknown', anyIf(e.status, e.kind = 'outcome')) AS status,
    anyIf(e.error, e.kind = 'outcome') AS error,
    -- A long one was recorded in parts, the last of them with the outcome.
    arrayStringConcat(arrayMap(part -> part.2, arraySort(groupArrayIf((e.seq, e.payload), e.payload != '')))) AS payload,
    -- Without an outcome nobody knows what came behind the parts.
    if(countIf(e.kind = 'outcome') = 0, toBool(countIf(e.kind = 'response') > 0), anyIf(e.payload_cut, e.kind = 'outcome')) AS payload_cut
FROM {database}.events AS e
WHERE e.kind IN ('action', 'response', 'outcome')
GROUP BY session_id, action_seq;

-- Which masked values were read by whom: one row per action and detector or column.
CREATE OR REPLACE VIEW {database}.masked_access AS
SELECT ts, session_id, action_id, connection, target_database, subject, owner, job, run, agent,
    what, values
FROM {database}.events
ARRAY JOIN mapKeys(masked) AS what, mapValues(masked) AS values
WHERE kind = 'outcome';

-- Requests for approval in their latest state.
CREATE OR REPLACE VIEW {database}.approvals AS
SELECT
    request_id,
    min(r.ts) AS asked,
    max(r.ts) AS changed,
    argMax(r.state, r.ts) AS state,
    any(r.session_id) AS session_id,
    any(r.action_id) AS action_id,
    any(r.connection) AS connection,
    any(r.subject) AS subject,
    any(r.job) AS job,
    any(r.rule) AS rule,
    argMax(r.decided_by, r.ts) AS decided_by,
    argMax(r.comment, r.ts) AS comment
FROM {database}.requests AS r
GROUP BY request_id;

-- What was not let through, and credentials that were not accepted.
CREATE OR REPLACE VIEW {database}.refusals AS
SELECT ts, session_id, action_id, kind, protocol, connection, target_database, subject, owner, job, run, agent,
    client_ip, class, verb, objects, statement, verdict, rule, policy_version, request_id, status, text
FROM {database}.events
WHERE (kind = 'action' AND verdict NOT IN ('', 'allow')) OR kind = 'login_refused';

-- Acts of operators, and actions of class admin at targets.
CREATE OR REPLACE VIEW {database}.admin_actions AS
SELECT ts, session_id, action_id, kind, protocol, connection, target_database, subject, owner, job, run, agent,
    client_ip, class, verb, objects, statement, verdict, rule, status, text
FROM {database}.events
WHERE kind = 'admin' OR (kind = 'action' AND class = 'admin');

-- All that one job did, across protocols and sessions, in the gateway's order: ORDER BY job_seq.
CREATE OR REPLACE VIEW {database}.job_timeline AS
SELECT job, run, job_seq, ts, job_verified, agent, parent_agent, session_id, event_id, action_id, kind, protocol,
    connection, target_database, subject, owner, class, verb, objects, statement, verdict, rule, request_id, rows,
    masked, status, error, text
FROM {database}.events
WHERE job != '' AND kind != 'response';

-- Per minute, protocol and connection: quantiles 0.5, 0.99 and 0.999 in microseconds.
CREATE OR REPLACE VIEW {database}.latency AS
SELECT
    toStartOfMinute(e.ts) AS minute,
    protocol,
    connection,
    countIf(e.kind = 'action') AS actions,
    quantilesIf(0.5, 0.99, 0.999)(e.parse_us, e.kind = 'action') AS parse_us,
    quantilesIf(0.5, 0.99, 0.999)(e.decide_us, e.kind = 'action') AS decide_us,
    quantilesIf(0.5, 0.99, 0.999)(e.wait_us, e.kind = 'action') AS wait_us,
    quantilesIf(0.5, 0.99, 0.999)(e.gateway_us, e.kind = 'outcome') AS gateway_us,
    quantilesIf(0.5, 0.99, 0.999)(e.upstream_us, e.kind = 'outcome') AS upstream_us
FROM {database}.events AS e
WHERE e.kind IN ('action', 'outcome')
GROUP BY minute, protocol, connection;

-- `lost`: never closed, and its gateway has been started again since.
CREATE OR REPLACE VIEW {database}.sessions AS
SELECT
    session_id,
    min(e.ts) AS started,
    max(e.ts) AS last,
    any(e.instance) AS instance,
    any(e.protocol) AS protocol,
    any(e.connection) AS connection,
    any(e.target_database) AS target_database,
    any(e.subject) AS subject,
    any(e.kind_of_identity) AS kind_of_identity,
    any(e.owner) AS owner,
    any(e.job) AS job,
    any(e.run) AS run,
    any(e.agent) AS agent,
    any(e.parent_agent) AS parent_agent,
    any(e.job_verified) AS job_verified,
    any(e.client_ip) AS client_ip,
    any(e.roles) AS roles,
    any(e.groups) AS groups,
    countIf(e.kind = 'action') AS actions,
    countIf(e.kind = 'action' AND e.verdict NOT IN ('', 'allow')) AS refused,
    sum(e.rows) AS rows,
    sum(e.bytes_up) AS bytes_up,
    sum(e.bytes_down) AS bytes_down,
    sum(arraySum(mapValues(e.masked))) AS masked_values,
    anyIf(e.status, e.kind = 'close') AS close_reason,
    multiIf(
        countIf(e.kind = 'close') > 0, 'closed',
        countIf(e.kind = 'login_refused') > 0, 'refused',
        any(e.instance) IN (SELECT argMax(i.instance, i.started) FROM {database}.instances AS i GROUP BY i.gateway),
        'open',
        'lost') AS status
FROM {database}.events AS e
-- A call of the control API is recorded too, and is no session of a client.
WHERE e.protocol != 'control'
GROUP BY session_id;
