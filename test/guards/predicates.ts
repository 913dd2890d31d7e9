/** Pure. Guards against guessing a masked value by what decides which rows come out, or whether a statement fails. */
import type { Guard } from './guard.ts'

const LINEAGE = 'src/protocols/postgres/sql/lineage'
const MASKED = 'test/protocols/postgres/sql/masked.test.ts'
const CODE = 'test/protocols/postgres/sql/masked-code.test.ts'

export const PREDICATE_GUARDS: readonly Guard[] = [
  {
    id: 'where',
    against: '`WHERE ssn LIKE …`, equality, EXISTS',
    file: `${LINEAGE}/query.ts`,
    from: '  walk.decide(part.whereClause, inside)\n',
    to: '',
    fails: {
      [MASKED]: [
        "is refused SELECT id FROM customers WHERE email = 'x'",
        "SELECT id FROM customers WHERE ssn LIKE '1%'",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM customers WHERE email = 'x')",
        'SELECT e FROM (SELECT email AS e FROM customers) s WHERE e = $1',
      ],
    },
  },
  {
    id: 'having',
    against: 'HAVING',
    file: `${LINEAGE}/query.ts`,
    from: '  walk.decide(part.havingClause, inside)\n',
    to: '',
    fails: { [MASKED]: ['SELECT count(*) FROM customers HAVING max(email)'] },
  },
  {
    id: 'joins',
    against: 'joins, by ON',
    file: `${LINEAGE}/from.ts`,
    from: '  walk.decide(join.quals, { ...outer, level: levelOf(items, outer) })\n',
    to: '',
    fails: { [MASKED]: ['JOIN customers c ON c.email = o.status'] },
  },
  {
    id: 'joins-using',
    against: 'joins, by USING and NATURAL',
    file: `${LINEAGE}/from.ts`,
    from: '    for (const value of values) walk.decides(value)\n    const value = mixture',
    to: '    const value = mixture',
    fails: {
      [MASKED]: [
        'SELECT 1 FROM customers JOIN contacts USING (email)',
        'SELECT 1 FROM customers NATURAL JOIN contacts',
      ],
    },
  },
  {
    id: 'order-by-name',
    against: 'ORDER BY and GROUP BY, by name',
    file: `${LINEAGE}/keys.ts`,
    from: '    else key(walk, node, at)\n',
    to: '',
    fails: {
      [MASKED]: [
        'SELECT id FROM customers ORDER BY email',
        'SELECT email AS e FROM customers ORDER BY e',
        'SELECT count(*) FROM customers GROUP BY email',
      ],
    },
  },
  {
    id: 'order-by-place',
    against: 'ORDER BY and GROUP BY, by place',
    file: `${LINEAGE}/keys.ts`,
    from: 'position(walk, (node.A_Const.ival?.ival ?? 0) - 1, at.outputs)',
    to: 'undefined',
    fails: {
      [MASKED]: [
        'SELECT email FROM customers ORDER BY 1',
        'SELECT *, id FROM customers ORDER BY 3',
        'SELECT email FROM customers GROUP BY (1, 1)',
      ],
    },
  },
  {
    id: 'distinct',
    against: 'DISTINCT',
    file: `${LINEAGE}/query.ts`,
    from: '  distinct(walk, part, at)\n',
    to: '',
    fails: {
      [MASKED]: [
        'is refused SELECT DISTINCT email FROM customers',
        'SELECT DISTINCT * FROM customers',
        'SELECT DISTINCT ON (email) id FROM customers',
      ],
    },
  },
  {
    id: 'union',
    against: 'UNION, INTERSECT and EXCEPT, which compare',
    file: `${LINEAGE}/query.ts`,
    from: "if (part.op !== 'SETOP_UNION' || part.all !== true) all(walk, outputs)",
    to: 'void all',
    fails: {
      'test/corpus/sql/corpus.test.ts': [
        "refuses 'masked-outputs/union'",
        "refuses 'masked-outputs/except'",
      ],
    },
  },
  {
    id: 'case',
    against: '`CASE WHEN`',
    file: `${LINEAGE}/expressions.ts`,
    from: '    walk.decide(one.CaseWhen.expr, at.place)\n',
    to: '',
    fails: { [MASKED]: ["SELECT CASE WHEN email = 'x' THEN 1 END FROM customers"] },
  },
  {
    id: 'case-of',
    against: '`CASE x WHEN`',
    file: `${LINEAGE}/expressions.ts`,
    from: '  walk.decide(arg, at.place)\n',
    to: '',
    fails: { [MASKED]: ["SELECT CASE email WHEN 'x' THEN 1 END FROM customers"] },
  },
  {
    id: 'patterns-as-values',
    against: 'patterns, IN and NULLIF as results',
    file: `${LINEAGE}/expressions.ts`,
    from: '  return other(walk, [...sidesOf(walk, lexpr, judged), ...sidesOf(walk, rexpr, judged)], at)\n',
    to: "  return derived([...sidesOf(walk, lexpr, at), ...sidesOf(walk, rexpr, at)], { how: 'total', kind: 'bool' })\n",
    fails: {
      [MASKED]: [
        "SELECT email LIKE 'a%' FROM customers",
        "SELECT email IN ('x') FROM customers",
        "SELECT nullif(email, 'x') FROM customers",
      ],
    },
  },
  {
    id: 'limit',
    against: '`LIMIT (select length(ssn))`',
    file: `${LINEAGE}/query.ts`,
    from: '  walk.decide(part.limitCount, at.place)\n',
    to: '',
    fails: {
      [MASKED]: ['SELECT 1 FROM customers LIMIT (SELECT length(ssn) FROM customers LIMIT 1)'],
    },
  },
  {
    id: 'filter',
    against: 'counts, by FILTER',
    file: `${LINEAGE}/calls.ts`,
    from: '  walk.decide(node.agg_filter, at.place)\n',
    to: '',
    fails: { [MASKED]: ["SELECT count(*) FILTER (WHERE email LIKE 'a%') FROM customers"] },
  },
  {
    id: 'distinct-aggregates',
    against: 'counts of different values',
    file: `${LINEAGE}/calls.ts`,
    from: '  if (node.agg_distinct === true) for (const one of args) walk.decides(one)\n',
    to: '',
    fails: { [MASKED]: ['SELECT count(DISTINCT email) FROM customers'] },
  },
  {
    id: 'order-in-aggregates',
    against: 'ORDER BY in aggregates',
    file: `${LINEAGE}/calls.ts`,
    from: '  if (!within) walk.decide(order, at.place)\n',
    to: '',
    fails: { [MASKED]: ['SELECT array_agg(id ORDER BY email) FROM customers'] },
  },
  {
    id: 'null-masks',
    against: 'IS NULL under `with: null`',
    file: `${LINEAGE}/expressions.ts`,
    from: "mask !== undefined && mask.transform.type !== 'null' && mask.fallible !== true",
    to: 'mask !== undefined && mask.fallible !== true',
    fails: { [CODE]: ['with null, whether a value is there is hidden too'] },
  },
  {
    id: 'delete-where',
    against: 'how many rows a DELETE found',
    file: `${LINEAGE}/writes.ts`,
    from: '  walk.decide(part.whereClause, inside(items, outer))\n',
    to: '',
    fails: { [MASKED]: ["DELETE FROM customers WHERE email = 'x'"] },
  },
  {
    id: 'update-where',
    against: 'how many rows an UPDATE found',
    file: `${LINEAGE}/writes.ts`,
    from: '  walk.decide(part.whereClause, at)\n',
    to: '',
    fails: { [MASKED]: ["UPDATE orders SET total = 1 FROM customers c WHERE c.email = 'x'"] },
  },
  {
    id: 'on-conflict',
    against: 'ON CONFLICT, which tells whether a value exists',
    file: `${LINEAGE}/writes.ts`,
    from: '    conflicts(walk, part, conflict.infer)\n',
    to: '',
    fails: {
      [MASKED]: [
        'is refused INSERT INTO customers (email) VALUES ($1) ON CONFLICT (email) DO NOTHING',
        'ON CONFLICT DO NOTHING',
      ],
    },
  },
  {
    id: 'merge-on',
    against: 'MERGE conditions',
    file: `${LINEAGE}/writes.ts`,
    from: '  walk.decide(part.joinCondition, at)\n',
    to: '',
    fails: { 'test/corpus/sql/corpus.test.ts': ["refuses 'masked-predicates/merge-on'"] },
  },
  {
    id: 'effects-in-predicates',
    against: '`set_config`, advisory locks and sequences as carriers, in predicates too',
    file: `${LINEAGE}/calls.ts`,
    from: "CARRIER_FUNCTIONS.test(name) ? { ...at, use: 'value' } : at",
    to: 'CARRIER_FUNCTIONS.test(name) ? at : at',
    fails: {
      [CODE]: [
        "still refuses SELECT id FROM customers WHERE set_config('a.b', email, false) = 'x'",
        'still refuses SELECT id FROM customers WHERE pg_advisory_lock(ascii(email)) IS NULL',
      ],
    },
  },
  {
    id: 'indexes',
    against: 'indexes and statistics over what is masked',
    file: 'src/protocols/postgres/sql/masked-ddl.ts',
    from: "    if (typeof name === 'string') for (const item of items) walk.guard(marksNamed(item, name))\n",
    to: '',
    fails: {
      [MASKED]: [
        'is refused CREATE INDEX ON customers (email)',
        'CREATE STATISTICS s ON email, name FROM customers',
      ],
    },
  },
  {
    id: 'foreign-keys',
    against: 'foreign keys onto what is masked',
    file: 'src/protocols/postgres/sql/masked-ddl.ts',
    from: '  for (const name of names) walk.guard(marksNamed(item, name))\n',
    to: '',
    fails: { [MASKED]: ['CREATE TABLE x (e text REFERENCES customers (email))'] },
  },
  {
    id: 'pseudonyms-guessed',
    against: 'pseudonyms compared with guessed ones: real values and made-up ones',
    file: 'src/protocols/postgres/openings.ts',
    from: '    if (value === undefined) return notAuthentic(parameter.label)\n',
    to: '    if (value === undefined) continue\n',
    fails: {
      'test/protocols/postgres/openings.test.ts': [
        'are refused where they are no pseudonym of the domain',
      ],
    },
  },
  {
    id: 'pseudonyms-forged',
    against: 'pseudonyms that nobody with the key made',
    file: 'src/mask/pseudonym.ts',
    from: 'return this.#checkOf(value).equals(check) ? value : undefined',
    to: 'return value',
    fails: { 'test/mask/pseudonym.test.ts': ['whatever nobody with the key made does not open'] },
  },
  {
    id: 'equal-updates',
    against: 'guesses that are written where a trigger skips rows that it would leave as they are',
    file: `${LINEAGE}/equal-updates.ts`,
    from: 'one.skipsEqual === true',
    to: 'false',
    fails: {
      'test/protocols/postgres/sql/lineage/equal-updates.test.ts': [
        'is refused: its count would tell what is equal already',
      ],
    },
  },
  {
    id: 'log-by-buffers',
    against:
      'what a guess has in common with a value, by how often buffers of the log were full (`pg_stat_wal`)',
    file: 'src/mask/carriers.ts',
    from: '[...LOGGED, ...LOG_WRITES]',
    to: 'LOGGED',
    fails: { 'test/mask/carriers.test.ts': ['what tells of guesses that were written'] },
  },
  {
    id: 'replaced-elsewhere',
    against: 'a view that is replaced through another connection to the same database',
    file: 'src/protocols/postgres/catalogues.ts',
    from: '(JSON.parse(key) as readonly unknown[])[1] === database',
    to: 'key === database',
    fails: {
      'test/protocols/postgres/catalogues.test.ts': ['DDL makes all of its database old'],
    },
  },
  {
    id: 'hashes-of-guesses',
    against: 'guesses that a detector hashes, compared with the hashes of a column',
    file: 'src/mask/spans.ts',
    from: "transform.type === 'hash' ? keyOfHits(key) : key",
    to: 'key',
    fails: {
      'test/mask/spans.test.ts': ['a hash of what a client makes up is no hash of a column'],
    },
  },
]
