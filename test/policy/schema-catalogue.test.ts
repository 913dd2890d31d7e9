import { beforeAll, describe, expect, test } from 'vitest'
import { readSchema } from '../../src/policy/schema-catalogue.ts'
import { analyse } from '../../src/protocols/postgres/sql/analyse.ts'
import type { Statement } from '../../src/protocols/postgres/sql/analysis.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { loadCorpus, schemaSql } from '../corpus/sql/corpus.ts'
import { refusalOf } from '../corpus/sql/guard.ts'

beforeAll(loadParser)

function judge(schema: string, text: string): Statement {
  const { names, problems } = readSchema(schema)
  expect(problems).toEqual([])
  const options = { names, masked: undefined, functionsRead: [], identityParameter: undefined }
  return analyse(text, options).statements[0]!
}

test('no schema is no target', () => {
  const { names, problems } = readSchema('  \n')
  expect(problems).toEqual([])
  expect(names.key).toBe('no target')
})

describe('a schema that would take for ever', () => {
  const many = (count: number, one: (n: number) => string, between = '') =>
    Array.from({ length: count }, (_, n) => one(n)).join(between)
  const told = (text: string) => readSchema(text).problems.map(({ message }) => message)

  test.each([
    [
      'a table of more columns than there can be',
      `CREATE TABLE t (${many(60_000, (n) => `c${n} int`, ',')})`,
    ],
    [
      'a query of more parts than can be read',
      `CREATE VIEW v AS ${many(6000, () => 'SELECT 1', ' UNION ALL ')}`,
    ],
    ['a parent twice', 'CREATE TABLE a (x int); CREATE TABLE b (y int) INHERITS (a, a)'],
  ])('%s is a problem', (_, text) => {
    const before = performance.now()
    expect(told(text)).toHaveLength(1)
    expect(performance.now() - before).toBeLessThan(5000)
  })

  test('columns that two parents have are one', () => {
    const level = (n: number) =>
      `CREATE TABLE l${n} () INHERITS (t${n}); CREATE TABLE r${n} () INHERITS (t${n}); CREATE TABLE t${n + 1} () INHERITS (l${n}, r${n});`
    const { names, problems } = readSchema(`CREATE TABLE t0 (x int); ${many(40, level)}`)
    expect(problems).toEqual([])
    const last = names.catalogue.parts!.relations.find(({ name }) => name === 't40')
    expect(last?.columns.map(({ name }) => name)).toEqual(['x'])
  })
})

test('tables have their keys, foreign keys, partitions, generated columns and triggers', () => {
  const schema = `
    CREATE TABLE a (id int PRIMARY KEY, x text UNIQUE, y text GENERATED ALWAYS AS (upper(x)) STORED);
    CREATE TABLE b (id int, a_id int, UNIQUE (id, a_id), FOREIGN KEY (a_id) REFERENCES a ON DELETE CASCADE);
    CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE p2 (id int, at date);
    ALTER TABLE ONLY p ATTACH PARTITION p2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    ALTER TABLE ONLY p2 ADD CONSTRAINT pk PRIMARY KEY (id);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER t AFTER DELETE ON b FOR EACH ROW EXECUTE FUNCTION f();`
  expect(judge(schema, 'DELETE FROM a WHERE id = 1').facts).toMatchObject({
    tables_written: ['public.a', 'public.b'],
    by_key: true,
  })
  expect(judge(schema, 'DELETE FROM b WHERE id = 1').facts).toMatchObject({
    bounded: true,
    by_key: false,
    triggers: ['public.b.t'],
  })
  expect([...judge(schema, 'DELETE FROM p').facts.tables_written].sort()).toEqual([
    'public.p',
    'public.p1',
    'public.p2',
  ])
  expect(judge(schema, 'DELETE FROM p2 WHERE id = 1').facts.by_key).toBe(true)
  expect(judge(schema, 'SELECT * FROM p1').facts.columns).toEqual(['public.p1.id', 'public.p1.at'])
  expect(judge(schema, "UPDATE a SET x = 'x' WHERE y = 'Y'").facts.bounded).toBe(false)
})

test('functions, operators, types and rules of its own are code', () => {
  const schema = schemaSql()
  expect(judge(schema, 'SELECT touch($1, $2)').classes).toContain('execute')
  expect(judge(schema, 'SELECT touch($1, $2)').reasons.join()).not.toContain('rights')
  expect(judge(schema, 'SELECT reset_orders()').reasons.join()).toContain("its owner's rights")
  expect(judge(schema, "SELECT 'a'::text === 'b'::text").classes).toContain('execute')
  expect(judge(schema, 'SELECT gather(name) FROM customers').classes).toContain('execute')
  expect(judge(schema, "INSERT INTO inbox VALUES (1, 'x')").classes).toContain('execute')
  expect(judge(schema, "UPDATE order_box SET status = 'x' WHERE id = 1").classes).toContain(
    'execute',
  )
  expect(judge(schema, "SELECT 'good'::mood").classes).toEqual(['read'])
})

describe('what is wrong is said, with its place', () => {
  test.each([
    ['CREATE TABLE a (id int);\nCREATE TABEL b ()', 'syntax error at or near "TABEL"', 32],
    ['CREATE TABLE a (id int);\n-- two\nCREATE TABLE a (id int)', 'public.a stands here twice', 32],
    ['CREATE VIEW v AS SELECT * FROM nowhere', 'there is no table public.nowhere above this', 0],
    ['CREATE EXTENSION citext', /^CREATE EXTENSION is not read here; leave it out/, 0],
    ['CREATE TABLE a AS SELECT 1', /^CREATE TABLE AS is not read here/, 0],
    ['CREATE TABLE b (a int REFERENCES a)', 'there is no table public.a above this', 0],
    ['DELETE FROM a', /^DELETE is not read here/, 0],
    [
      'CREATE TABLE a (b int); ALTER TABLE a DROP COLUMN b',
      /^ALTER TABLE … DropColumn b is not read/,
      24,
    ],
  ])('%s', (text, message, offset) => {
    const { problems } = readSchema(text)
    expect(problems).toEqual([
      { message: typeof message === 'string' ? message : expect.stringMatching(message), offset },
    ])
  })
})

test('what a dump says about owners, comments and settings is passed over', () => {
  const dump = `SET statement_timeout = 0; SELECT pg_catalog.set_config('search_path', '', false);
    CREATE TABLE public.a (id int); ALTER TABLE public.a OWNER TO app; COMMENT ON TABLE public.a IS 'x';
    GRANT SELECT ON TABLE public.a TO app; CREATE SEQUENCE public.s;`
  expect(readSchema(dump).problems).toEqual([])
})

/** They hang on views of the system, which only a target knows. */
const OF_THE_SYSTEM = ['escalation/hba-view', 'escalation/config-view', 'escalation/ident-view']

test('the statement corpus is judged on its schema as text as on a server', () => {
  const { names } = readSchema(schemaSql())
  const options = { names, masked: undefined, functionsRead: [], identityParameter: undefined }
  const wrong: string[] = []
  let count = 0
  for (const one of loadCorpus()) {
    if (one.live || one.simple || one.mask || OF_THE_SYSTEM.includes(one.id)) continue
    count++
    const refusal = refusalOf(one, (text) => analyse(text, options))
    if ((refusal !== undefined) !== (one.expect === 'deny'))
      wrong.push(`${one.id}: ${refusal ?? 'allowed'}`)
  }
  expect(wrong).toEqual([])
  expect(count).toBeGreaterThan(150)
})
