/**
 * Every escape that was tried, against the real engine: none of them may run, and ordinary
 * questions must.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Store } from '../../src/replay/store.ts'
import { facts, OUTCOME, Place, SHAPE, TIMES, until } from '../record/running.ts'

const place = new Place()
const secret = join(place.folder, 'secret.txt')
const out = join(place.folder, 'out.csv')
let store: Store

beforeAll(async () => {
  writeFileSync(secret, 'planted-secret\n')
  const recorder = place.recorder()
  const session = recorder.open(facts(place.instance))
  const shape = recorder.shape(SHAPE)
  session.outcome(shape, session.action(shape, TIMES), OUTCOME)
  recorder.flush()
  const ship = place.ship()
  const admin = await ship.store.ready()
  for (const sql of [
    'CREATE TABLE sluice.later (a Int8) ENGINE = MergeTree ORDER BY a',
    'CREATE VIEW sluice.later_view AS SELECT 1 AS a',
    'CREATE MATERIALIZED VIEW sluice.later_made ENGINE = MergeTree ORDER BY a AS SELECT a FROM sluice.later',
    "CREATE DICTIONARY sluice.later_words (a UInt64, b String DEFAULT '') PRIMARY KEY a SOURCE(CLICKHOUSE(TABLE 'later')) LAYOUT(FLAT()) LIFETIME(0)",
  ])
    await admin.command({ sql })
  const { port1, port2 } = new MessageChannel()
  ship.attach(port1)
  store = new Store(port2)
  await until(async () => {
    const result = await store.audit('SELECT count() AS n FROM events')
    if (result.type === 'refused') throw new Error(result.say)
    return result.rows[0]?.n === 2
  })
})

afterAll(async () => {
  store.close()
  await place.close()
})

const ESCAPES: readonly (readonly [string, string])[] = [
  ['a file as a table', `SELECT * FROM file('${secret}', 'LineAsString', 'line String')`],
  ['a file as a scalar', `SELECT file('${secret}')`],
  ['a file in upper case', `SELECT FILE('${secret}')`],
  ['a file behind a quoted name', `SELECT \`file\`('${secret}')`],
  ['a file behind a comment', `SELECT /* x */ file /* y */ ('${secret}')`],
  ['a file in a CTE', `WITH x AS (SELECT file('${secret}')) SELECT * FROM x`],
  ['a file in a recursive CTE', `WITH RECURSIVE x AS (SELECT file('${secret}')) SELECT * FROM x`],
  ['a file as a CTE expression', `WITH file('${secret}') AS x SELECT x`],
  ['a file in a sub-query', `SELECT (SELECT file('${secret}'))`],
  ['a file in a deep sub-query', `SELECT * FROM (SELECT * FROM (SELECT file('${secret}')))`],
  ['a file in a UNION', `SELECT '1' UNION ALL SELECT file('${secret}')`],
  ['a file in INTERSECT', `SELECT '1' INTERSECT SELECT file('${secret}')`],
  ['a file in WHERE', `SELECT 1 FROM events WHERE file('${secret}') != ''`],
  ['a file in HAVING', `SELECT count() FROM events HAVING file('${secret}') != ''`],
  ['a file in ORDER BY', `SELECT 1 FROM events ORDER BY file('${secret}')`],
  ['a file in LIMIT', `SELECT 1 FROM events LIMIT length(file('${secret}'))`],
  ['a file in LIMIT BY', `SELECT 1 FROM events LIMIT 1 BY file('${secret}')`],
  ['a file in GROUPING SETS', `SELECT 1 FROM events GROUP BY GROUPING SETS ((file('${secret}')))`],
  ['a file in a JOIN', `SELECT 1 FROM events a JOIN events b ON a.kind = file('${secret}')`],
  ['a file in ARRAY JOIN', `SELECT x FROM events ARRAY JOIN [file('${secret}')] AS x`],
  ['a file in PREWHERE', `SELECT 1 FROM events PREWHERE file('${secret}') != ''`],
  ['a file in a window', `SELECT count() OVER (PARTITION BY file('${secret}')) FROM events`],
  [
    'a file in a named window',
    `SELECT count() OVER w FROM events WINDOW w AS (ORDER BY file('${secret}'))`,
  ],
  ['a file in FILTER', `SELECT count() FILTER (WHERE file('${secret}') = '') FROM events`],
  [
    'a file in WITH FILL',
    `SELECT seq FROM events ORDER BY seq WITH FILL TO length(file('${secret}'))`,
  ],
  [
    'a file in INTERPOLATE',
    `SELECT seq, kind FROM events ORDER BY seq WITH FILL INTERPOLATE (kind AS file('${secret}'))`,
  ],
  [
    'a file in a parameter of an aggregate',
    `SELECT quantile(length(file('${secret}')))(seq) FROM events`,
  ],
  ['a file in a lambda', `SELECT arrayMap(x -> file(x), ['${secret}'])`],
  ['a file in REPLACE', `SELECT * REPLACE (file('${secret}') AS kind) FROM events`],
  ['a file in APPLY', `SELECT COLUMNS(kind) APPLY(x -> file('${secret}')) FROM events`],
  ['APPLY of a function by name', 'SELECT COLUMNS(kind) APPLY file FROM events'],
  ['a function by name', `SELECT arrayReduce('flameGraph', [1])`],
  ['a URL', `SELECT * FROM url('http://127.0.0.1:1/x', 'CSV', 'a String')`],
  ['a bucket', `SELECT * FROM s3('http://127.0.0.1:1/x', 'CSV', 'a String')`],
  ['another server', `SELECT * FROM remote('127.0.0.1:1', system.one)`],
  ['another database server', `SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')`],
  ['a program', `SELECT * FROM executable('id', 'TSV', 'a String')`],
  ['SQLite', `SELECT * FROM sqlite('${secret}', 't')`],
  ['merge() over tables', `SELECT * FROM merge('system', '.*')`],
  ['merge() over our own', `SELECT * FROM merge('sluice', 'sealed')`],
  ['cluster()', `SELECT * FROM cluster('default', system.one)`],
  ['view()', 'SELECT * FROM view(SELECT 1)'],
  ['loop()', 'SELECT * FROM loop(sluice.sealed)'],
  ['input()', `SELECT * FROM input('a String')`],
  ['dictionary()', `SELECT * FROM dictionary('d')`],
  ['mergeTreeIndex()', 'SELECT * FROM mergeTreeIndex(sluice, sealed)'],
  ['a dictionary', `SELECT dictGet('d', 'x', toUInt64(1))`],
  ['a join table', `SELECT joinGet('sluice.sealed', 'x', 1)`],
  ['columns of a hidden table', `SELECT hasColumnInTable('system', 'one', 'dummy')`],
  ['settings of the engine', `SELECT getSetting('readonly')`],
  ['the host', 'SELECT hostName()'],
  ['a variable', 'SELECT @@version'],
  ['sleeping', 'SELECT sleep(1)'],
  ['system.tables', 'SELECT * FROM system.tables'],
  ['system.one in IN', 'SELECT 1 WHERE 1 IN system.one'],
  ['system.one in parentheses in IN', 'SELECT 1 WHERE 1 IN (system.one)'],
  ['system.one in GLOBAL NOT IN', 'SELECT 1 WHERE 1 GLOBAL NOT IN system.one'],
  ['a system table by a quoted name', 'SELECT * FROM `system`.`tables`'],
  [
    'a system table inside a CTE of a permitted name',
    'WITH events AS (SELECT * FROM system.tables) SELECT * FROM events',
  ],
  ['information_schema', 'SELECT * FROM information_schema.tables'],
  ['sealed originals', 'SELECT * FROM sealed'],
  ['keys of sealed originals', 'SELECT * FROM sealed_keys'],
  ['our book-keeping', 'SELECT * FROM migrations'],
  ['legal holds', 'SELECT * FROM holds'],
  ['legal holds, qualified', 'SELECT * FROM sluice.holds'],
  ['legal holds in IN', 'SELECT 1 WHERE 1 IN (SELECT hold FROM holds)'],
  ['legal holds by a quoted name', 'SELECT * FROM `holds`'],
  ['legal holds behind an alias', 'SELECT e.* FROM events AS e, holds AS h'],
  ['a table behind a CTE of its name', 'WITH holds AS (SELECT 1) SELECT * FROM holds'],
  [
    'a table where a CTE of its name has ended',
    'SELECT * FROM (WITH holds AS (SELECT 1 AS x) SELECT x FROM holds) AS a, holds',
  ],
  ['a table in a CTE of its name', 'WITH holds AS (SELECT * FROM holds) SELECT * FROM holds'],
  ['a table behind an alias of its name', 'WITH [1] AS holds SELECT 1 IN holds'],
  ['a table behind another name', 'WITH holds AS y SELECT hold IN y FROM (SELECT 1 AS hold)'],
  ['a table behind another name, in IN', 'WITH later AS y SELECT 1 IN y'],
  ['a table behind a third name', 'WITH later AS y, y AS z SELECT 1 IN (z)'],
  ['a table behind the name of one that may be read', 'WITH later AS events SELECT 1 IN events'],
  [
    'a table behind another name, in a JOIN',
    'WITH later AS y SELECT 1 FROM numbers(1) AS n JOIN numbers(1) AS m ON 1 IN y',
  ],
  ['a table that was made later', 'SELECT * FROM later'],
  ['a table that was made later, in IN', 'SELECT 1 WHERE 1 IN later'],
  ['a table that was made later, in GLOBAL NOT IN', 'SELECT 1 WHERE 1 GLOBAL NOT IN (later)'],
  ['a view that was made later', 'SELECT * FROM later_view'],
  ['a dictionary that was made later', 'SELECT * FROM later_words'],
  ['what a view that was made later is made into', 'SELECT * FROM later_made'],
  [
    'a table that was made later, behind a CTE',
    'WITH a AS (SELECT * FROM events), b AS (SELECT * FROM later) SELECT * FROM a, b',
  ],
  ['what stands behind a table of a cluster', 'SELECT * FROM sealed_local'],
  ['sealed originals, qualified', 'SELECT * FROM sluice.sealed'],
  ['sealed originals in IN', 'SELECT 1 WHERE 1 IN sealed'],
  ['sealed originals in a JOIN', 'SELECT 1 FROM events JOIN sealed USING session_id'],
  ['INTO OUTFILE', `SELECT 1 INTO OUTFILE '${out}'`],
  ['INTO OUTFILE of a UNION', `SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '${out}' FORMAT CSV`],
  ['a FORMAT', 'SELECT 1 FORMAT JSON'],
  ['SETTINGS', 'SELECT 1 SETTINGS readonly = 0'],
  [
    'SETTINGS in a sub-query',
    'SELECT * FROM (SELECT 1 SETTINGS readonly = 0, max_execution_time = 0)',
  ],
  ['a second statement', 'SELECT 1; DROP TABLE sluice.events'],
  ['a second statement in a comment that is none', 'SELECT 1 /* */ ; SELECT 2 --'],
  ['closing our parenthesis', 'SELECT 1) UNION ALL SELECT (2'],
  ['closing our parenthesis, and a comment', "SELECT 1) INTO OUTFILE 'x' --"],
  ['EXPLAIN', 'EXPLAIN SELECT 1'],
  ['EXPLAIN that runs', `EXPLAIN PIPELINE SELECT file('${secret}')`],
  ['EXPLAIN ESTIMATE', 'EXPLAIN ESTIMATE SELECT 1'],
  ['EXPLAIN in a sub-query', 'SELECT * FROM (EXPLAIN SELECT 1)'],
  ['viewExplain()', `SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))`],
  ['INSERT', 'INSERT INTO sluice.events (kind) VALUES (1)'],
  ['INSERT into a file', `INSERT INTO FUNCTION file('${out}', 'CSV', 'a String') VALUES ('x')`],
  ['CREATE', 'CREATE TABLE x (a Int8) ENGINE = Memory'],
  ['DROP', 'DROP TABLE sluice.events'],
  ['ALTER', 'ALTER TABLE sluice.events DELETE WHERE 1'],
  ['TRUNCATE', 'TRUNCATE TABLE sluice.events'],
  ['SET', 'SET readonly = 0'],
  ['USE', 'USE system'],
  ['SHOW', 'SHOW TABLES'],
  ['DESCRIBE', 'DESCRIBE TABLE sluice.events'],
  ['SYSTEM', 'SYSTEM SHUTDOWN'],
  ['BACKUP', `BACKUP TABLE sluice.events TO File('${out}')`],
  ['EXECUTE AS', 'EXECUTE AS default SELECT 1'],
  ['ATTACH', `ATTACH DATABASE x ENGINE = Filesystem('/')`],
  ['a parameter', 'SELECT {x:String}'],
  ['a parameter as a table', 'SELECT * FROM {x:Identifier}'],
  ['a name that breaks the line', 'SELECT * FROM events AS `x\nTableIdentifier sluice.events`'],
  ['a table of a name with a dot', 'SELECT * FROM `system.tables`'],
  ['a NUL in the text', 'SELECT 1 \0 ; SELECT 2'],
  ['nothing', ''],
  ['noise', 'hello world'],
]

describe('does not run', () => {
  test.each(ESCAPES)('%s', async (_, sql) => {
    const result = await store.audit(sql)
    expect(result).toMatchObject({ type: 'refused' })
    expect(JSON.stringify(result)).not.toContain('planted-secret')
  })

  test('a text that is too long', async () => {
    expect(await store.audit(`SELECT '${'x'.repeat(70_000)}'`)).toMatchObject({ type: 'refused' })
  })

  test('a query that would not end', async () => {
    const start = performance.now()
    const result = await store.audit('SELECT sum(sipHash64(number)) FROM numbers(1000000000000)')
    expect(result).toMatchObject({ type: 'refused', say: expect.stringMatching(/time/i) })
    expect(performance.now() - start).toBeLessThan(20_000)
  })

  test('a query that wants too much memory', async () => {
    const sql = 'SELECT groupArray(repeat(toString(number), 100)) FROM numbers(100000000)'
    expect(await store.audit(sql)).toMatchObject({
      type: 'refused',
      say: expect.stringMatching(/memory/i),
    })
  })
})

const FINE: readonly (readonly [string, unknown])[] = [
  ['SELECT 1 AS x', [{ x: 1 }]],
  ['select 1 as x -- a comment', [{ x: 1 }]],
  ['SELECT 1 AS x;', [{ x: 1 }]],
  ["SELECT 'file(1)' AS x", [{ x: 'file(1)' }]],
  ["SELECT 'it''s \\' system.one' AS x", [{ x: "it's ' system.one" }]],
  ['SELECT count() AS n FROM events', [{ n: 2 }]],
  ['SELECT count() AS n FROM sluice.statements', [{ n: 1 }]],
  ['SELECT COUNT(*) AS n, SUM(rows) AS r FROM statements', [{ n: 1, r: 3 }]],
  ['WITH s AS (SELECT * FROM statements) SELECT verb FROM s', [{ verb: 'SELECT' }]],
  ["WITH ['ok'] AS fine SELECT status IN fine AS x FROM statements", [{ x: 1 }]],
  ['SELECT kind AS k, e.seq AS s FROM events AS e ORDER BY s LIMIT 1', [{ k: 'action', s: 1 }]],
  ["WITH s AS (SELECT 'ok') SELECT status IN s AS x FROM statements", [{ x: 1 }]],
  ["SELECT 'public.customers' IN objects AS x FROM statements", [{ x: 1 }]],
  [
    "SELECT verb, countIf(status = 'ok') AS n FROM statements GROUP BY verb",
    [{ verb: 'SELECT', n: 1 }],
  ],
  ["SELECT kind FROM events WHERE kind IN ('action') ORDER BY seq LIMIT 1", [{ kind: 'action' }]],
  [
    "SELECT e.kind FROM events AS e WHERE e.session_id IN (SELECT session_id FROM sessions) AND e.kind = 'outcome'",
    [{ kind: 'outcome' }],
  ],
  [
    'SELECT a.kind FROM events a JOIN events b ON a.action_id = b.event_id WHERE a.seq = 2',
    [{ kind: 'outcome' }],
  ],
  ["SELECT CASE WHEN rows > 1 THEN 'many' ELSE 'few' END AS x FROM statements", [{ x: 'many' }]],
  [
    "SELECT JSONExtractArrayRaw(facts, 'sql', 'commands') AS c FROM statements",
    [{ c: ['"SELECT"'] }],
  ],
  ['SELECT arrayMap(x -> upper(x), objects) AS o FROM statements', [{ o: ['PUBLIC.CUSTOMERS'] }]],
  ['SELECT count() AS n FROM statements WHERE ts > now() - INTERVAL 1 HOUR', [{ n: 1 }]],
  ['SELECT quantile(0.5)(gateway_us) AS q FROM statements', [{ q: 40 }]],
  ['SELECT row_number() OVER (ORDER BY seq) AS r FROM events ORDER BY r DESC LIMIT 1', [{ r: 2 }]],
  ['SELECT number AS n FROM numbers(2)', [{ n: 0 }, { n: 1 }]],
  ['SELECT 1 AS x UNION ALL SELECT 1', [{ x: 1 }, { x: 1 }]],
  ['SELECT status, close_reason FROM sessions', [{ status: 'open', close_reason: '' }]],
  ['SELECT count() AS n FROM masked_access', [{ n: 0 }]],
  ['SELECT count() AS n FROM approvals', [{ n: 0 }]],
  ['SELECT count() AS n FROM refusals', [{ n: 0 }]],
  ['SELECT count() AS n FROM admin_actions', [{ n: 0 }]],
  ['SELECT count() AS n FROM job_timeline', [{ n: 2 }]],
  ['SELECT actions FROM latency', [{ actions: 1 }]],
  ['SELECT count() AS n FROM requests', [{ n: 0 }]],
  ["SELECT count() AS n FROM chains WHERE chain = 'of nobody'", [{ n: 0 }]],
]

describe('answers', () => {
  test.each(FINE)('%s', async (sql, rows) => {
    expect(await store.audit(sql)).toEqual({ type: 'rows', rows, cut: false })
  })

  test('with at most the rows asked for, and says that there were more', async () => {
    const result = await store.audit('SELECT * FROM numbers(100)', 10)
    expect(result).toMatchObject({ type: 'rows', cut: true })
    expect(result.type === 'rows' && result.rows.length).toBe(10)
  })

  test('a star with all columns of the contract, computed ones too', async () => {
    const result = await store.audit('SELECT * FROM events ORDER BY seq LIMIT 1')
    const [row] = result.type === 'rows' ? result.rows : []
    expect(row).toMatchObject({ kind: 'action', masked: {}, job_verified: true })
    expect(row?.event_id).toBe(`${row?.session_id}-1`)
    expect(row?.action_id).toBe(row?.event_id)
  })

  test('an unknown column with the engine’s own sentence', async () => {
    expect(await store.audit('SELECT nope FROM events')).toMatchObject({
      type: 'refused',
      say: expect.stringContaining('nope'),
    })
  })

  test('the list of sessions, one session, and its events', async () => {
    const sessions = await store.sessions({ connection: 'demo', status: 'open' })
    expect(sessions).toHaveLength(1)
    const id = sessions[0]!.session_id
    expect(await store.session(id)).toMatchObject({ subject: 'ci', actions: 1, rows: 3 })
    const events = await store.events(id)
    expect(events.map((event) => event.kind)).toEqual(['action', 'outcome'])
    expect(events[1]?.action_id).toBe(`${id}-1`)
    expect(await store.session('nobody')).toBeUndefined()
  })
})
