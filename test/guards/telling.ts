/** Pure. Guards against learning a masked value from what is not its text: lengths, errors, plans, statistics. */
import type { Guard } from './guard.ts'

const LINEAGE = 'src/protocols/postgres/sql/lineage'
const MASKED = 'test/protocols/postgres/sql/masked.test.ts'

export const TELLING_GUARDS: readonly Guard[] = [
  {
    id: 'told-by-length',
    against:
      'what is computed from a value and then as long as that says: comparisons that are printed, and their like',
    file: `${LINEAGE}/sizes.ts`,
    from: "  if (kind === 'bool') return into === 'jsonb'\n",
    to: '',
    fails: {
      'test/protocols/postgres/sql/lineage/sizes.test.ts': [
        'a truth value may be printed',
        'into jsonb a truth value goes as it is',
        'a row with a truth value may be printed',
      ],
    },
  },
  {
    id: 'told-by-escapes',
    against: 'JSON of a part of a text, which doubles the characters that it must',
    file: `${LINEAGE}/sizes.ts`,
    from: "how !== 'identity' && (kind === undefined || isString(kind))",
    to: 'false',
    fails: {
      'test/protocols/postgres/sql/lineage/sizes.test.ts': [
        'SELECT to_json(substr(email, 3, 1)) FROM customers',
        'SELECT json_build_array(1, left(email, 1)) FROM customers',
      ],
    },
  },
  {
    id: 'told-by-settings',
    against: 'texts that are longer or shorter by what a client sets: its TimeZone and its like',
    file: `${LINEAGE}/sizes.ts`,
    from: "  if (BY_SETTINGS.test(kind ?? '')) return false\n",
    to: '',
    fails: {
      'test/protocols/postgres/sql/lineage/sizes.test.ts': [
        'a time as the client says its zone may be printed',
        'a row with such a time may be printed',
        'no function and no cast prints what the settings of a client decide the length of',
      ],
    },
  },
  {
    id: 'told-by-collation',
    against: 'what fails under some collations, and only where the mask null hides a value',
    file: `${LINEAGE}/total-functions.ts`,
    from: "name === 'starts_with' && mayTellNull(args)",
    to: 'false',
    fails: {
      'test/protocols/postgres/sql/lineage/total-functions.test.ts': [
        'starts_with fails under some collations',
      ],
    },
  },
  {
    id: 'chosen-by-content',
    against: 'aggregates whose length says which of several values they are, or how large a sum',
    file: `${LINEAGE}/query.ts`,
    from: 'if (!value.weighs) continue',
    to: 'if (value.how !== undefined) continue',
    fails: {
      'test/protocols/postgres/sql/lineage/sizes.test.ts': [
        'SELECT id, max(email) FROM customers GROUP BY id',
        'SELECT s FROM (SELECT sum(salary) AS s FROM pay GROUP BY id) x',
        'SELECT id, avg(grade) FROM pay GROUP BY id',
      ],
    },
  },
  {
    id: 'explain-costs',
    against: 'EXPLAIN, by its estimates',
    file: `${LINEAGE}/carried.ts`,
    from: "if ((walk.touches || runs) && !(isOff(part, 'costs') && !has(part, 'serialize')))",
    to: "if (false && !(isOff(part, 'costs') && !has(part, 'serialize')))",
    fails: {
      [MASKED]: ['is refused EXPLAIN SELECT email FROM customers', '(COSTS OFF, COSTS ON)'],
    },
  },
  {
    id: 'explain-analyze',
    against: 'EXPLAIN ANALYZE, by the room that rows take',
    file: `${LINEAGE}/carried.ts`,
    from: 'if ((walk.touches || runs) && !isAnalyzeOff(part))',
    to: 'if (false && !isAnalyzeOff(part))',
    fails: {
      'test/corpus/sql/corpus.test.ts': ["refuses 'masked-predicates/explain-analyze-sort'"],
    },
  },
  {
    id: 'statistics',
    against: 'statistics views (`pg_stats.most_common_vals`)',
    file: 'src/mask/carriers.ts',
    from: "  carrier('pg_stats', [...VALUES, ...FREQUENCIES]),\n",
    to: '',
    fails: {
      'test/mask/carriers.test.ts': ['every carrier of semantics'],
      'test/mask/resolve-masks.test.ts': ['carriers are masked while any column is'],
    },
  },
  {
    id: 'activity',
    against: '`pg_stat_activity`',
    file: 'src/mask/carriers.ts',
    from: "  carrier('pg_stat_activity', ['query']),\n",
    to: '',
    fails: { 'test/mask/carriers.test.ts': ['every carrier of semantics'] },
  },
  {
    id: 'virtual-columns',
    against: 'telling by failure: a column that is computed from a masked one whenever it is read',
    file: 'src/mask/resolve-masks.ts',
    from: 'fails ? { ...derived(mask), fallible: true } : derived(mask)',
    to: 'fails ? derived(mask) : derived(mask)',
    fails: {
      'test/mask/resolve-masks.test.ts': ['computed whenever it is read, by what may fail'],
    },
  },
  {
    id: 'computed-unread',
    against:
      'telling by failure: an output that could tell, computed by a sub-select where nobody reads it',
    file: 'src/protocols/postgres/sql/lineage/query.ts',
    from: "if (role !== 'top') walk.compute(outputs)",
    to: '',
    fails: {
      'test/protocols/postgres/sql/masked.test.ts': [
        'also where it is computed and nobody reads it: WITH x AS MATERIALIZED (SELECT * FROM customer_mails) SELECT id FROM x',
      ],
    },
  },
  {
    id: 'whole-rows',
    against: 'telling by failure: views that are computed whole beside what is changed or locked',
    file: 'src/protocols/postgres/sql/lineage/whole-rows.ts',
    from: 'walk.compute(relationOutputs(one, world))',
    to: 'continue',
    fails: {
      'test/protocols/postgres/sql/lineage/whole-rows.test.ts': [
        'a view is computed whole: SELECT id FROM over_view FOR UPDATE',
      ],
    },
  },
  {
    id: 'log-by-io',
    against:
      'what a guess has in common with a value, by how much of the log was written (`pg_stat_io`)',
    file: 'src/mask/carriers.ts',
    from: "  carrier('pg_stat_io', [...MOVED, 'fsyncs', 'fsync_time']),\n",
    to: '',
    fails: { 'test/mask/carriers.test.ts': ['every carrier of semantics'] },
  },
]
