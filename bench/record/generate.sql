-- Events as agents make them, made inside the engine: sessions of very different length, few subjects that do most, many
-- jobs, 20,000 prepared statements and some with a text of their own, masked results, refusals, errors. The same numbers
-- give the same events. {first} to {last}: which sessions; each begins {step_ms} before the one made after it.
CREATE OR REPLACE TABLE sluice.made_shapes ENGINE = Memory AS
SELECT
    number AS shape,
    toUInt64(number % 300) AS t,
    ['customers', 'orders', 'invoices', 'payments', 'items', 'tickets', 'users', 'events', 'stock', 'shipments'][number % 10 + 1] AS noun,
    concat('public.', noun, if(t < 10, '', concat('_', toString(intDiv(t, 10))))) AS object,
    ['SELECT', 'SELECT', 'SELECT', 'SELECT', 'SELECT', 'SELECT', 'SELECT', 'INSERT', 'UPDATE', 'SELECT'][intDiv(number, 10) % 10 + 1] AS verb0,
    multiIf(number % 997 = 0, 'ALTER TABLE', number % 499 = 0, 'DELETE', verb0) AS verb,
    multiIf(verb = 'SELECT', 'read', verb = 'ALTER TABLE', 'schema', 'write') AS class,
    concat('field_', toString(number % 1700)) AS field,
    multiIf(
        verb = 'SELECT', concat('SELECT id, status, ', field, ', created_at FROM ', object, ' WHERE ', noun, '_ref = $1 AND tenant_id = $2 ORDER BY created_at DESC LIMIT 50'),
        verb = 'INSERT', concat('INSERT INTO ', object, ' (id, tenant_id, ', field, ', created_at) VALUES ($1, $2, $3, now()) ON CONFLICT (id) DO NOTHING'),
        verb = 'UPDATE', concat('UPDATE ', object, ' SET ', field, ' = $1, updated_at = now() WHERE id = $2 AND tenant_id = $3'),
        verb = 'DELETE', concat('DELETE FROM ', object, ' WHERE id = $1'),
        concat('ALTER TABLE ', object, ' ADD COLUMN ', field, ' text')) AS statement,
    lower(hex(sipHash128(number, 'shape'))) AS hash,
    -- Refused are some shapes, always.
    multiIf(verb = 'ALTER TABLE', 'not_allowed', verb = 'DELETE', 'denied', number % 1009 = 0, 'denied', 'allow') AS verdict,
    multiIf(verdict = 'denied', concat(['production/no-delete', 'production/no-secrets', 'finance/no-export', 'people/no-salaries'][number % 4 + 1]), number % 353 = 0, concat('watch/rule-', toString(number % 40)), '') AS rule,
    concat('{"sql":{"commands":["', verb, '"],"tags":["', verb, '"],"tables":["', object, '"],"tables_written":', if(verb = 'SELECT', '[]', concat('["', object, '"]')), ',"columns":["', object, '.id","', object, '.', field, '"],"functions":[],"triggers":[],"bounded":true,"by_key":true,"writes":', if(verb = 'SELECT', 'false', 'true'), ',"in_transaction":false}}') AS facts
FROM numbers(20000);

INSERT INTO sluice.events
SELECT
    session_id, instance, 'postgres' AS protocol, connection, connection AS target_database, subject,
    'workload' AS kind_of_identity, owner, job, run, agent, '' AS parent_agent, true AS job_verified, client_ip, roles, groups,
    kind, if(isMoment, '', s.class) AS class, if(isMoment, '', s.verb) AS verb, if(kind = 'action', [s.object], []) AS objects,
    if(kind = 'action', if(h % 12 = 5, concat(s.statement, ' -- ref ', lower(hex(toUInt32(h)))), s.statement), '') AS statement,
    if(kind = 'action', s.hash, '') AS statement_hash,
    if(isMoment, '', s.verdict) AS verdict, if(isMoment, '', s.rule) AS rule, if(isMoment, 0, 7) AS policy_version, '' AS request_id,
    if(kind = 'action', s.facts, '') AS facts,
    fromUnixTimestamp64Micro(started_us + intDiv(seq, 2) * pace_us + if(seq % 2 = 1, 900, 0) + h % 500) AS ts,
    seq, if(isMoment, 0, if(kind = 'action', seq, seq - 1)) AS action_seq, toUnixTimestamp64Micro(ts) AS job_seq,
    if(kind = 'action', 200 + h % 900, 0) AS bytes_up, if(kind = 'action', h % 20, 0) AS parse_us, if(kind = 'action', h % 7, 0) AS decide_us, 0 AS wait_us,
    if(kind = 'action', [toString(h % 1000000), toString(session % 50)], []) AS params,
    if(kind = 'outcome' AND s.verdict = 'allow', multiIf(h % 1000 = 1, 20000 + h % 80000, s.verb = 'SELECT', h % 50, 1), 0) AS rows,
    if(kind = 'outcome', rows * 90 + 40, 0) AS bytes_down,
    if(kind = 'outcome', if(h % 3000 = 7, 2000000 + h % 9000000, 150 + h % 4000), 0) AS upstream_us, if(kind = 'outcome', 20 + h % 90, 0) AS gateway_us,
    multiIf(kind = 'outcome', multiIf(s.verdict != 'allow', 'refused', h % 211 = 3, 'error', h % 90001 = 3, 'cut', 'ok'), kind = 'close', 'client', kind = 'login', 'ok', '') AS status,
    if(status = 'error', ['23505', '40001', '42P01', '57014'][h % 4 + 1], '') AS error,
    if(kind = 'login', 'logged in', '') AS text,
    if(kind = 'outcome' AND s.verdict = 'allow' AND s.shape % 17 = 2, map(concat(s.object, '.email'), rows + 1, ['email', 'phone', 'iban', 'card', 'api_key'][s.shape % 23 % 5 + 1], h % 9 + 1), map()) AS masked,
    false AS payload_cut,
    if(kind = 'outcome' AND s.verdict = 'allow', repeat(hex(h), 1 + h % 9), '') AS payload,
    concat(instance, '-0001-', leftPad(toString(intDiv(session, 4)), 10, '0')) AS segment
FROM
(
    SELECT *, seq, seq = 1 OR seq = actions * 2 + 2 AS isMoment,
        multiIf(seq = 1, 'login', seq = actions * 2 + 2, 'close', seq % 2 = 0, 'action', 'outcome') AS kind,
        sipHash64(session, seq) AS h,
        -- Each job works with the shapes of its task.
        toUInt64((sipHash64(job, 'task') % 2500 * 8 + sipHash64(session, intDiv(seq, 2)) % 40) % 20000) AS of_shape
    FROM
    (
        SELECT
            number AS session,
            cityHash64(number, 'session') AS r,
            {end_ms:UInt64} - number * {step_ms:UInt64} AS started_ms,
            toInt64(started_ms) * 1000 AS started_us,
            -- From a moment to hours.
            1000 + r % 900 * 1000 + if(r % 40 = 0, 4000000, 0) AS pace_us,
            multiIf(r % 100 = 0, 4000, r % 10 = 1, 600, 15 + r % 60) AS actions,
            concat(
                arrayStringConcat(arrayMap(i -> substring('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + bitAnd(bitShiftRight(started_ms, 5 * (9 - i)), 31), 1), range(10))),
                arrayStringConcat(arrayMap(i -> substring('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + bitAnd(bitShiftRight(sipHash64(number, i), 7), 31), 1), range(16)))) AS session_id,
            concat('01KAMADE00000000000000', leftPad(toString(intDiv(number, 20000)), 4, '0')) AS instance,
            toUInt64(40 * pow((r % 10007) / 10007, 2)) AS c,
            ['orders', 'billing', 'people', 'stock', 'ledger'][c % 5 + 1] AS base,
            if(c < 5, base, concat(base, '_', toString(intDiv(c, 5)))) AS connection,
            toUInt64(300 * pow((r % 99991) / 99991, 3)) AS u,
            concat('agent-', leftPad(toString(u), 3, '0')) AS subject,
            concat('person-', toString(u % 40)) AS owner,
            concat('job-', toString(intDiv(number, 3))) AS job,
            toString(r % 5) AS run,
            ['coder', 'tester', 'reporter', 'migrator'][u % 4 + 1] AS agent,
            concat('10.', toString(u % 4), '.', toString(r % 200), '.', toString(r % 251)) AS client_ip,
            ['agents'] AS roles, [concat('team-', toString(u % 12))] AS groups
        FROM numbers({first:UInt64}, {last:UInt64} - {first:UInt64})
    )
    ARRAY JOIN range(1, actions * 2 + 3) AS seq
) AS e
LEFT JOIN sluice.made_shapes AS s ON s.shape = e.of_shape
SETTINGS max_insert_threads = 2, join_algorithm = 'hash', query_plan_join_swap_table = 'false', insert_deduplicate = 0;
