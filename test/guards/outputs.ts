/** Pure. Guards against seeing a masked value in what comes out. */
import type { Guard } from './guard.ts'

const LINEAGE = 'src/protocols/postgres/sql/lineage'
const MASKED = 'test/protocols/postgres/sql/masked.test.ts'

export const OUTPUT_GUARDS: readonly Guard[] = [
  {
    id: 'star',
    against: '`*` and `t.*`',
    file: `${LINEAGE}/query.ts`,
    from: 'list.push(...star.list)',
    to: 'list.push(...star.list.map((one) => ({ ...one, value: CLEAR })))',
    fails: {
      [MASKED]: [
        'SELECT * FROM (SELECT * FROM customers) s',
        'SELECT * FROM customer_mails',
        'comes out TABLE customers',
      ],
    },
  },
  {
    id: 'computed',
    against:
      'whole rows, casts, concatenation, aggregates, windows, JSON: what is computed from a column',
    file: `${LINEAGE}/value.ts`,
    from: "marks: union(parts, 'marks'),",
    to: 'marks: NONE,',
    fails: {
      [MASKED]: [
        'SELECT customers FROM customers',
        'SELECT c, c.id FROM customers c',
        'SELECT row_to_json(c), to_jsonb(c) FROM customers c',
        'SELECT array_agg(email), count(email)',
        'SELECT string_agg(email',
        'SELECT substr(email, 2, 1)',
        'SELECT email::text',
        'SELECT upper(email), length(ssn), md5(card)',
        'SELECT lag(email) OVER (ORDER BY id)',
        'SELECT max(email) || ssn',
      ],
    },
  },
  {
    id: 'listed-functions',
    against:
      'functions that fail, wait or have an effect: `pg_sleep(ascii(…))`, one character at a time',
    file: `${LINEAGE}/calls.ts`,
    from: 'if (total === undefined || isMany) return other(walk, [...args, ...handed], spot)',
    to: "if (total === undefined || isMany) return derived([...args, ...handed], { how: 'total', kind: undefined })",
    fails: {
      [MASKED]: [
        'SELECT pg_sleep(ascii(email)) FROM customers',
        'SELECT ascii(email) FROM customers',
        'SELECT repeat(email, 1000) FROM customers',
        'SELECT f(email) FROM customers',
        "SELECT regexp_matches(email, 'a') FROM customers",
      ],
    },
  },
  {
    id: 'casts-that-fail',
    against: 'casts that fail and quote the value',
    file: `${LINEAGE}/expressions.ts`,
    from: 'if (castIsTotal(value.kind, kind, sized) && !castShows(value, kind))',
    to: 'if (true)',
    fails: { [MASKED]: ['SELECT email::int FROM customers'] },
  },
  {
    id: 'operators-that-fail',
    against: 'arithmetic that fails: `1/(ascii(email)-109)`',
    file: `${LINEAGE}/expressions.ts`,
    from: 'if (found === undefined) return other(walk, [left, right], at)',
    to: "if (found === undefined) return derived([left, right], { how: 'total', kind: 'int4' })",
    fails: {
      [MASKED]: [
        'SELECT 1 / (length(email) - 5) FROM customers',
        'SELECT length(email) + 1 FROM customers',
      ],
    },
  },
  {
    id: 'lengths',
    against: 'texts so long that they fail by their length',
    file: `${LINEAGE}/total-functions.ts`,
    from: 'const COPIES_MAX = 64',
    to: 'const COPIES_MAX = 6_400_000',
    fails: { [MASKED]: ['SELECT email || email || email'] },
  },
  {
    id: 'sub-select',
    against: 'sub-selects',
    file: `${LINEAGE}/expressions.ts`,
    from: `    if (at.use === 'predicate') walk.decides(only)
    return only
  }
  if (subLinkType === 'ARRAY_SUBLINK'`,
    to: `    return CLEAR
  }
  if (subLinkType === 'ARRAY_SUBLINK'`,
    fails: {
      [MASKED]: [
        'SELECT (SELECT email FROM customers LIMIT 1), ARRAY',
        'VALUES ((SELECT email FROM customers LIMIT 1), 1)',
      ],
    },
  },
  {
    id: 'set-operations',
    against: 'set operations',
    file: `${LINEAGE}/query.ts`,
    from: "return { name, value: meeting(walk, [value, other], { place, use: 'value' }) }",
    to: 'return { name, value: other === value ? other : value }',
    fails: { [MASKED]: ['SELECT email FROM customers UNION ALL SELECT status FROM orders'] },
  },
  {
    id: 'ctes',
    against: 'CTEs, data-modifying ones included',
    file: `${LINEAGE}/ctes.ts`,
    from: 'const named = withNames(outputs ?? { list: [], open: CLEAR, shaky: false }, cte)',
    to: 'const named = withNames({ list: (outputs?.list ?? []).map((one) => ({ ...one, value: CLEAR })), open: undefined, shaky: false }, cte)',
    fails: {
      [MASKED]: [
        'WITH x AS (SELECT email, id FROM customers) SELECT * FROM x',
        'WITH customers AS (SELECT * FROM customers) SELECT id, email FROM customers',
        'WITH d AS (DELETE FROM customers WHERE id = 1 RETURNING email, id) SELECT * FROM d',
      ],
    },
  },
  {
    id: 'recursive-ctes',
    against: 'recursive CTEs that pass a value from column to column',
    file: `${LINEAGE}/ctes.ts`,
    from: `      const isDone =
        !this.#namesItself || (this.#known !== undefined && covers(this.#known, outputs))
      this.#known = outputs`,
    to: '      const isDone = true || covers !== undefined\n      this.#known ??= outputs',
    fails: { [MASKED]: ['RECURSIVE r(a, b, n) AS (SELECT name, email, 1'] },
  },
  {
    id: 'lateral-functions',
    against: 'LATERAL and functions in FROM',
    file: `${LINEAGE}/from.ts`,
    from: '  walk.forbid(walk.value({ Unknown: part.functions } as unknown as Node, place).marks)\n',
    to: '',
    fails: {
      [MASKED]: [
        'SELECT x FROM customers, LATERAL upper(email) x',
        'SELECT x FROM customers, unnest(string_to_array(email, NULL)) x',
      ],
    },
  },
  {
    id: 'returning',
    against: 'RETURNING, OLD and NEW',
    file: `${LINEAGE}/writes.ts`,
    from: '  return targets(walk, clause.exprs, { ...outer, level })',
    to: '  const shown = targets(walk, clause.exprs, { ...outer, level })\n  return { ...shown, list: shown.list.map((one) => ({ ...one, value: CLEAR })) }',
    fails: { [MASKED]: ['RETURNING upper(email), name', 'RETURNING old.email, id'] },
  },
  {
    id: 'merge-versions',
    against: 'OLD and NEW of MERGE, whose target stands behind its source',
    file: `${LINEAGE}/writes.ts`,
    from: '  const versions = names.map((ref) => itemOf(ref, written.outputs))\n',
    to: '  const versions = names.map((ref) => itemOf(ref, (items[0] ?? written).outputs))\n',
    fails: {
      'test/protocols/postgres/sql/lineage/writes.test.ts': [
        'RETURNING old.email',
        'RETURNING WITH (OLD AS o1) upper(o1.email)',
      ],
    },
  },
  {
    id: 'windows',
    against: 'window functions',
    file: `${LINEAGE}/calls.ts`,
    from: '  walk.decide(part.orderClause, place)\n',
    to: '',
    fails: { [MASKED]: ['SELECT row_number() OVER (ORDER BY email) FROM customers'] },
  },
  {
    id: 'window-partitions',
    against: 'window functions, by their partitions',
    file: `${LINEAGE}/calls.ts`,
    from: '  walk.decide(part.partitionClause, place)\n',
    to: '',
    fails: { [MASKED]: ['WINDOW w AS (PARTITION BY email)'] },
  },
  {
    id: 'copy-query',
    against: '`COPY (query) TO STDOUT`',
    file: `${LINEAGE}/carried.ts`,
    from: "if (part.query !== undefined) return walk.statement(part.query, place, 'top')",
    to: 'if (part.query !== undefined) return NO_OUTPUTS',
    fails: { [MASKED]: ['COPY (SELECT id, email, upper(email) FROM customers) TO STDOUT'] },
  },
  {
    id: 'cursors',
    against: 'cursors and prepared statements',
    file: `${LINEAGE}/lineage.ts`,
    from: '  if (body !== undefined) return statement(walk, body, at)\n',
    to: '  if (body !== undefined) return NO_OUTPUTS\n',
    fails: {
      [MASKED]: [
        'DECLARE c CURSOR FOR SELECT upper(email) FROM customers',
        'PREPARE p AS SELECT id FROM customers WHERE email = $1',
      ],
    },
  },
  {
    id: 'views',
    against: 'views over views, by what each of their columns shows',
    file: 'src/mask/resolve-masks.ts',
    from: '      this.#views(relation, next.column, mask)\n',
    to: '',
    fails: { 'test/mask/resolve-masks.test.ts': ['a view that reads a masked column'] },
  },
  {
    id: 'kin',
    against: 'partitions, inheritance children and parents',
    file: 'src/mask/resolve-masks.ts',
    from: '      this.#kin(relation, next.column, mask)\n',
    to: '',
    fails: {
      'test/mask/resolve-masks.test.ts': [
        'partitions, inheritance children and parents share the mask',
      ],
    },
  },
  {
    id: 'generated',
    against: 'generated columns',
    file: 'src/mask/resolve-masks.ts',
    from: '      this.#generated(relation, next.column, mask)\n',
    to: '',
    fails: {
      'test/mask/resolve-masks.test.ts': ['what is generated from a masked column is redacted'],
    },
  },
  {
    id: 'unknown-relations',
    against: 'relations that the catalogue cannot explain',
    file: `${LINEAGE}/value.ts`,
    from: 'return source.mask !== undefined || source.unknown',
    to: 'return source.mask !== undefined',
    fails: {
      [MASKED]: [
        'SELECT x FROM nosuch',
        'SELECT upper(b) FROM (SELECT name, x FROM nosuch) s(a, b)',
      ],
    },
  },
  {
    id: 'derived-strength',
    against:
      'a partly shown or hashed column within an expression (`substr` of a number shows the rest)',
    file: `${LINEAGE}/walk.ts`,
    from: "if (how === 'identity' && first.mask !== undefined) {",
    to: 'if (first.mask !== undefined) {',
    fails: {
      [MASKED]: ['the stronger mask wins, and partial and hash hold for a column itself only'],
    },
  },
]
