-- The questions that auditors ask first. `sluice audit questions` lists them and runs one by its number:
--
--   sluice audit questions 3 --with object=public.customers --with since=30d
--
-- Each is one SELECT that `sluice audit query` would run too, once its {name:Type} are filled in. A question begins with a line
-- `--- number. name: what it asks`; lines `--: name = default, meaning` say what to fill in (without a default it must be given).
-- DateTime64 is filled by a moment (2026-11-01, 2026-11-01T12:00:00Z) or by how long ago it was (90m, 24h, 7d).

--- 1. subject: What did this subject do?
--: subject, whom
--: since = 1d, how far back
SELECT ts, connection, verb, verdict, rule, statement, session_id
FROM events
WHERE kind = 'action' AND subject = {subject:String} AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 1000

--- 2. job: What did this job do, in the gateway's order, over all its sessions?
--: job, its id
SELECT job_seq, ts, session_id, connection, kind, verb, objects, statement, verdict, rule, rows, status
FROM job_timeline
WHERE job = {job:String}
ORDER BY job_seq
LIMIT 10000

--- 3. object: Who touched this table?
--: object, such as public.customers
--: since = 30d, how far back
SELECT ts, subject, job, connection, verb, verdict, statement, session_id
FROM events
WHERE kind = 'action' AND has(objects, {object:String}) AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 100

--- 4. changed: Who changed this table, also through a view or a cascade?
--: object, such as public.orders
--: since = 7d, how far back
SELECT ts, subject, job, connection, verb, statement, session_id
FROM events
WHERE kind = 'action' AND class != 'read' AND verdict = 'allow' AND ts >= {since:DateTime64(6)}
  AND position(facts, {object:String}) > 0
  AND has(JSONExtract(facts, 'sql', 'tables_written', 'Array(String)'), {object:String})
ORDER BY ts DESC
LIMIT 100

--- 5. words: Which statements hold all of these words?
--: words, such as "salary 2026"
--: since = 30d, how far back
SELECT ts, subject, job, connection, verdict, statement, session_id
FROM events
WHERE kind = 'action' AND hasAllTokens(lower(statement), lower({words:String})) AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 100

--- 6. refusing-rules: Which rules refuse most, and how many subjects do they meet?
--: since = 30d, how far back
SELECT rule, verdict, count() AS refusals, uniq(subject) AS subjects, uniq(job) AS jobs, max(ts) AS last
FROM refusals
WHERE kind = 'action' AND ts >= {since:DateTime64(6)}
GROUP BY rule, verdict
ORDER BY refusals DESC, rule
LIMIT 100

--- 7. refused: What was refused to this subject?
--: subject, whom
--: since = 30d, how far back
SELECT ts, connection, verb, objects, statement, verdict, rule, session_id
FROM refusals
WHERE kind = 'action' AND subject = {subject:String} AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 1000

--- 8. rule: Which statements did this rule speak of?
--: rule, as policy/rule
--: since = 30d, how far back
SELECT ts, subject, job, connection, verb, objects, verdict, statement, session_id
FROM events
WHERE kind = 'action' AND rule = {rule:String} AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 100

--- 9. masked: Who met masked values, and how many?
--: since = 7d, how far back
SELECT subject, what, count() AS actions, sum(values) AS masked
FROM masked_access
WHERE ts >= {since:DateTime64(6)}
GROUP BY subject, what
ORDER BY masked DESC, subject, what
LIMIT 1000

--- 10. masked-by: Who met values of this column, or of this detector?
--: what, a column such as public.customers.email, or a detector such as iban
--: since = 30d, how far back
SELECT subject, job, connection, count() AS actions, sum(masked[{what:String}]) AS masked_values, max(ts) AS last
FROM events
WHERE kind = 'outcome' AND has(mapKeys(masked), {what:String}) AND ts >= {since:DateTime64(6)}
GROUP BY subject, job, connection
ORDER BY masked_values DESC, subject, job, connection
LIMIT 1000

--- 11. takers: Who takes most rows and bytes away?
--: since = 7d, how far back
SELECT subject, connection, count() AS actions, sum(rows) AS rows_read, sum(bytes_down) AS bytes
FROM events
WHERE kind = 'outcome' AND ts >= {since:DateTime64(6)}
GROUP BY subject, connection
ORDER BY bytes DESC, subject, connection
LIMIT 100

--- 12. largest: Which results were the largest?
--: since = 7d, how far back
SELECT ts, subject, job, connection, rows, bytes_down, masked, statement, session_id
FROM statements
WHERE (session_id, action_seq) IN (
    SELECT session_id, action_seq FROM events
    WHERE kind = 'outcome' AND ts >= {since:DateTime64(6)}
    ORDER BY bytes_down DESC LIMIT 20)
ORDER BY bytes_down DESC, ts
LIMIT 20

--- 13. slowest: Which statements were the slowest, the target's part and ours?
--: since = 7d, how far back
SELECT ts, subject, job, connection, upstream_us / 1000 AS target_ms, gateway_us / 1000 AS gateway_ms, statement, session_id
FROM statements
WHERE (session_id, action_seq) IN (
    SELECT session_id, action_seq FROM events
    WHERE kind = 'outcome' AND ts >= {since:DateTime64(6)}
    ORDER BY upstream_us DESC LIMIT 20)
ORDER BY upstream_us DESC, ts
LIMIT 20

--- 14. failed-logins: Which addresses fail to log in?
--: since = 30d, how far back
SELECT client_ip, status, count() AS times, min(ts) AS first, max(ts) AS last
FROM events
WHERE kind = 'login_refused' AND ts >= {since:DateTime64(6)}
GROUP BY client_ip, status
ORDER BY times DESC, client_ip, status
LIMIT 1000

--- 15. unknown-ends: Of which statements does nobody know how they ended (gateway or connection lost)?
--: since = 1d, how far back
SELECT ts, subject, job, connection, status, statement, session_id
FROM statements
WHERE (session_id, action_seq) IN (
    SELECT session_id, action_seq FROM events
    WHERE kind IN ('action', 'outcome') AND ts >= {since:DateTime64(6)}
    GROUP BY session_id, action_seq
    HAVING countIf(kind = 'outcome') = 0 OR countIf(status = 'cut') > 0
    LIMIT 1000)
ORDER BY ts DESC
LIMIT 1000

--- 16. operators: What did operators do: tokens, ended sessions, questions to the record?
--: since = 30d, how far back
SELECT ts, subject, client_ip, status, text
FROM admin_actions
WHERE kind = 'admin' AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 1000

--- 17. errors: Which errors do targets answer, and to whom?
--: since = 7d, how far back
SELECT connection, error, count() AS times, uniq(subject) AS subjects, any(subject) AS one_of_them, max(ts) AS last
FROM events
WHERE kind = 'outcome' AND status = 'error' AND ts >= {since:DateTime64(6)}
GROUP BY connection, error
ORDER BY times DESC, connection, error
LIMIT 1000

--- 18. sessions: Which sessions did this subject have, from where, and how did they end?
--: subject, whom
--: since = 7d, how far back
SELECT session_id, started, status, close_reason, connection, client_ip, job, actions, refused, rows, masked_values
FROM sessions
WHERE session_id IN (
    SELECT session_id FROM events
    WHERE kind IN ('login', 'login_refused') AND subject = {subject:String} AND ts >= {since:DateTime64(6)})
ORDER BY session_id DESC
LIMIT 1000

--- 19. schema: Who changed schemas, rights or settings of targets, or tried to?
--: since = 30d, how far back
SELECT ts, subject, owner, job, connection, class, verb, objects, verdict, rule, statement, session_id
FROM events
WHERE kind = 'action' AND class IN ('schema', 'admin') AND ts >= {since:DateTime64(6)}
ORDER BY ts DESC
LIMIT 1000

--- 20. connection: Who used this connection, from which addresses, and for what?
--: connection, its name
--: since = 7d, how far back
SELECT subject, owner, groupUniqArray(10)(client_ip) AS addresses, uniq(session_id) AS sessions, count() AS actions,
    countIf(class != 'read') AS writing, countIf(verdict != 'allow') AS refused, min(ts) AS first, max(ts) AS last
FROM events
WHERE kind = 'action' AND connection = {connection:String} AND ts >= {since:DateTime64(6)}
GROUP BY subject, owner
ORDER BY actions DESC, subject, owner
LIMIT 1000
