/** Pure. Guards against getting a statement past what reads it. */
import type { Guard } from './guard.ts'

const SQL = 'src/protocols/postgres/sql'
const TESTS = 'test/protocols/postgres/sql'
const CONTRACT = 'test/contract/contract.test.ts'

export const STATEMENT_GUARDS: readonly Guard[] = [
  {
    id: 'owner-rights',
    against: 'SECURITY DEFINER under a pattern of functions.read',
    file: `${SQL}/resolve.ts`,
    from: '    routine.asOwner ? pattern === whole : matches(pattern, whole),\n',
    to: '    matches(pattern, whole),\n',
    fails: { [`${TESTS}/resolve.test.ts`]: ['harmless only where its whole name is given'] },
  },
  {
    id: 'behind-named',
    against: 'EXECUTE or FETCH of what changes the path, before a statement of the same message',
    file: 'src/protocols/postgres/named.ts',
    from: 'isMoved && one.nameless !== true ? behindChange(named) : named',
    to: 'named',
    fails: {
      'test/protocols/postgres/named.test.ts': ['behind one that runs what may change names'],
    },
  },
  {
    id: 'same-bytes',
    against: '`standard_conforming_strings=off`',
    file: `${SQL}/analyse.ts`,
    from: "if (!names.standardConformingStrings) return 'standard_conforming_strings is off.'",
    to: '',
    fails: {
      [`${TESTS}/analyse.test.ts`]: [
        'bytes that the target may read in another way make the text opaque',
      ],
    },
  },
  {
    id: 'same-encoding',
    against: '`client_encoding` changed',
    file: `${SQL}/analyse.ts`,
    from: "if (names.encoding !== 'utf8' && /[^\\x00-\\x7f]/.test(text))",
    to: 'if (false)',
    fails: {
      [`${TESTS}/analyse.test.ts`]: [
        'bytes that the target may read in another way make the text opaque',
      ],
    },
  },
  {
    id: 'same-names',
    against: '`SET search_path`, then an unqualified name in the same message',
    file: `${SQL}/analyse.ts`,
    from: 'if (at.dirty && usesNames(node)) g.notUnderstood(AFTER_CHANGE)',
    to: '',
    fails: {
      [`${TESTS}/analyse.test.ts`]: ['after a change of names the rest of the message is opaque'],
    },
  },
  {
    id: 'same-grammar',
    against: 'what another version reads otherwise',
    file: `${SQL}/analyse.ts`,
    from: 'if (otherwise !== undefined) g.notUnderstood(otherwise)',
    to: '',
    fails: {
      'test/protocols/postgres/sql/grammar.test.ts': ['is opaque there and understood on 18'],
    },
  },
  {
    id: 'unbounded-or',
    against: '"bounded" that is not: an arm of OR that is always true',
    file: `${SQL}/bounded-where.ts`,
    from: 'if (arms.length === 0 || !arms.every((arm) => arm.bounded)) return NOTHING',
    to: 'if (arms.length === 0 || !arms.some((arm) => arm.bounded)) return NOTHING',
    fails: {
      [`${TESTS}/bounded.test.ts`]: ['DELETE FROM customers WHERE id = 1 OR name IS NOT NULL'],
    },
  },
  {
    id: 'unbounded-self',
    against: '"bounded" that is not: `id = id`, a sub-select',
    file: `${SQL}/bounded-where.ts`,
    from: "  if ('ColumnRef' in node) return isConstantColumn(node.ColumnRef, table)\n  return isConstant(node)",
    to: '  return isConstant(node) || isConstantColumn !== undefined',
    fails: {
      [`${TESTS}/bounded.test.ts`]: [
        'DELETE FROM customers WHERE id = id',
        'DELETE FROM customers WHERE id = (SELECT max(id) FROM customers)',
        'DELETE FROM customers WHERE id IN (1, id)',
      ],
    },
  },
  {
    id: 'unbounded-nothing',
    against: 'UPDATE and DELETE without WHERE',
    file: `${SQL}/bounded.ts`,
    from: "if (range === undefined || where === undefined) return { ...UNBOUNDED, where: 'none' }\n  if ('CurrentOfExpr'",
    to: "if (range === undefined || where === undefined) return { ...BOUNDED, where: 'none' }\n  if ('CurrentOfExpr'",
    fails: {
      [`${TESTS}/bounded.test.ts`]: [
        'WITH d AS (DELETE FROM customers RETURNING *) SELECT * FROM d WHERE id = 1',
        'EXPLAIN ANALYZE DELETE FROM customers',
        'PREPARE p AS DELETE FROM customers',
      ],
    },
  },
  {
    id: 'unbounded-ties',
    against: 'LIMIT in the wrong place, WITH TIES',
    file: `${SQL}/bounded.ts`,
    from: "if (count === undefined || select.limitOption === 'LIMIT_OPTION_WITH_TIES') return false",
    to: 'if (count === undefined) return false',
    fails: {
      [`${TESTS}/bounded.test.ts`]: [
        'INSERT INTO orders SELECT * FROM customers ORDER BY id FETCH FIRST 1 ROW WITH TIES',
      ],
    },
  },
  {
    id: 'foreign-functions',
    against: 'functions with side effects, `SELECT f()`',
    file: `${SQL}/functions.ts`,
    from: '  for (const one of meaning.foreign) {\n    const rights',
    to: '  for (const one of [] as string[]) {\n    const rights',
    fails: {
      'test/corpus/sql/corpus.test.ts': [
        "refuses 'writing/function'",
        "refuses 'writing/function-qualified'",
        "refuses 'writing/function-in-where'",
      ],
    },
  },
  {
    id: 'attribute-notation',
    against: 'functions called in attribute notation',
    file: `${SQL}/functions.ts`,
    from: '  for (const one of meaning.foreign) {\n    g.functions.add(one)',
    to: '  for (const one of [] as string[]) {\n    g.functions.add(one)',
    fails: { 'test/corpus/sql/corpus.test.ts': ["refuses 'writing/attribute-notation'"] },
  },
  {
    id: 'operators',
    against: 'operators that run code',
    file: `${SQL}/functions.ts`,
    from: 'if (!operatorIsHarmless(g.trust, schema, name))',
    to: 'if (false)',
    fails: { 'test/corpus/sql/corpus.test.ts': ["refuses 'writing/operator'"] },
  },
  {
    id: 'text-that-runs',
    against: '`query_to_xml`, `cursor_to_xml`, `ts_stat`',
    file: `${SQL}/functions.ts`,
    from: "if (RUN_TEXT.has(name) || (name === 'ts_rewrite' && count === 2))",
    to: 'if (false)',
    fails: {
      'test/corpus/sql/corpus.test.ts': [
        "refuses 'writing/query-to-xml'",
        "refuses 'writing/ts-stat'",
      ],
    },
  },
  {
    id: 'administrative-functions',
    against: '`pg_read_file`, `pg_terminate_backend`, `lo_import`',
    file: `${SQL}/functions.ts`,
    from: "  if (name === 'nextval') {",
    to: "  if (name !== 'nextval') return\n  if (name === 'nextval') {",
    fails: {
      'test/corpus/sql/corpus.test.ts': [
        "refuses 'writing/read-file'",
        "refuses 'writing/terminate'",
        "refuses 'writing/reload'",
      ],
    },
  },
  {
    id: 'several-statements',
    against: 'several statements in one message, the forbidden one second',
    file: 'src/protocols/postgres/reader.ts',
    from: "      if (verdict.verdict.verdict === 'deny') {",
    to: "      if (verdict.verdict.verdict === 'deny' && judged.length === 0) {",
    fails: {
      [CONTRACT]: [
        "'simple-several-refused.wire': 'One statement refused refuses the who…' goes as written",
      ],
    },
  },
  {
    id: 'several-in-parse',
    against: 'several statements in one Parse',
    file: 'src/protocols/postgres/reader.ts',
    from: 'const statement = statements.length > 1 ? opaqueStatement(text, SEVERAL) : statements[0]',
    to: 'const statement = statements[0]',
    fails: {
      'test/protocols/postgres/reader.test.ts': ['a Parse of several statements is refused'],
    },
  },
  {
    id: 'judged-again',
    against: 're-execute after a policy change',
    file: 'src/protocols/postgres/judge.ts',
    from: '    judged.policyVersion === guard.version &&\n',
    to: '',
    fails: {
      'test/protocols/postgres/judge.test.ts': [
        'a verdict holds while policy and transaction are the same',
      ],
    },
  },
  {
    id: 'names-not-seen',
    against: 'EXECUTE and Bind of a name that was not seen made',
    file: 'src/protocols/postgres/reader.ts',
    from: '    talk.refuseExtended(frame, id)\n  }\n\n  /**\n   * A portal bound',
    to: '    void frame\n    void id\n  }\n\n  /**\n   * A portal bound',
    fails: {
      [CONTRACT]: [
        "'name-unknown.wire': 'A name that was not seen made is refu…' goes as written, one byte at a time",
      ],
    },
  },
]
