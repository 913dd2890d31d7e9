/** Pure. Guards against copying or moving what is masked first, and reading it there; and against code that reads past tables. */
import type { Guard } from './guard.ts'

const LINEAGE = 'src/protocols/postgres/sql/lineage'
const DDL = 'src/protocols/postgres/sql/masked-ddl.ts'
const MASKED = 'test/protocols/postgres/sql/masked.test.ts'
const CODE = 'test/protocols/postgres/sql/masked-code.test.ts'
const OWN = 'test/protocols/postgres/sql/masked-ddl.test.ts'

export const COPYING_GUARDS: readonly Guard[] = [
  {
    id: 'stored-queries',
    against: 'CREATE TABLE AS, SELECT INTO, views, INSERT … SELECT',
    file: `${LINEAGE}/query.ts`,
    from: "  if (role === 'stored' || goesInto(part)) stored(walk, outputs)\n",
    to: "  if (role === 'stored' || goesInto(part)) void stored\n",
    fails: {
      [MASKED]: [
        'is refused CREATE TABLE x AS SELECT email FROM customers',
        'SELECT * INTO x FROM customers',
        'CREATE MATERIALIZED VIEW m AS SELECT * FROM customers',
        'CREATE VIEW v AS SELECT email FROM customers',
        'INSERT INTO orders (status) SELECT email FROM customers',
      ],
    },
  },
  {
    id: 'into-first-arm',
    against: 'INTO in the first arm of a set operation',
    file: `${LINEAGE}/query.ts`,
    from: 'return part.intoClause !== undefined || (part.larg !== undefined && goesInto(part.larg))',
    to: 'return part.intoClause !== undefined',
    fails: {
      [MASKED]: ['refused SELECT status INTO x FROM orders UNION ALL SELECT email FROM customers'],
    },
  },
  {
    id: 'stored-values',
    against: '`UPDATE t SET note = email`, MERGE, ON CONFLICT DO UPDATE',
    file: `${LINEAGE}/writes.ts`,
    from: '    if (node !== undefined) walk.forbid(stored(walk, node, place).marks)\n',
    to: '    if (node !== undefined) walk.note(stored(walk, node, place).marks)\n',
    fails: {
      [MASKED]: [
        'UPDATE customers SET notes = email WHERE id = 1',
        'WHEN MATCHED THEN UPDATE SET status = c.email',
        'WHEN NOT MATCHED THEN INSERT VALUES (1, 1, 1, c.ssn)',
        'DO UPDATE SET notes = customers.email',
      ],
    },
  },
  {
    id: 'stored-places',
    against: 'a value that is stored by the place it takes',
    file: `${LINEAGE}/writes.ts`,
    from: '    positions(walk, target?.indirection, place)\n',
    to: '',
    fails: { [MASKED]: ['UPDATE orders SET status[length(c.ssn)] = $1'] },
  },
  {
    id: 'replaced-views',
    against:
      'a view that becomes another, under a materialised view that has stored what it showed',
    file: DDL,
    from: '  if (replace === true) moved(',
    to: '  if (replace === undefined) moved(',
    fails: { [OWN]: ['CREATE OR REPLACE VIEW customer_mails AS SELECT 1 AS id'] },
  },
  {
    id: 'columns-left-to-children',
    against: 'a masked column that is dropped from a parent and stays in its children',
    file: DDL,
    from: '.length > 0 && leaves(part, known))\n      moved(',
    to: '.length > 0 && leaves(part, known) && false)\n      moved(',
    fails: {
      [OWN]: [
        'ALTER TABLE ONLY customers DROP COLUMN email',
        'a column that is dropped from a parent may stay in a child of its own',
      ],
    },
  },
  {
    id: 'row-types',
    against: 'a column that is renamed through the row type that its table is OF',
    file: DDL,
    from: "  if (part.renameType === 'OBJECT_ATTRIBUTE') attribute(walk, part.subname ?? '')\n",
    to: '',
    fails: { [OWN]: ['ALTER TYPE row_type RENAME ATTRIBUTE email TO e CASCADE'] },
  },
  {
    id: 'domains',
    against: 'a constraint of a domain that tries the values of masked columns',
    file: DDL,
    from: '      if (typeOid >= FIRST_USER_OID) walk.guard(marksNamed(item, name))\n',
    to: '      void [name, typeOid]\n',
    fails: { [OWN]: ['a constraint of a domain tries the values'] },
  },
  {
    id: 'clustered',
    against: 'rows put into the order of a masked column',
    file: DDL,
    from: "    if (one !== undefined) walk.guard(marksOf(itemOf('', relationOutputs(one, walk.world))))\n",
    to: '',
    fails: { [OWN]: ['CLUSTER customers USING customers_email_key would let'] },
  },
  {
    id: 'included',
    against: 'a masked column that an index carries along',
    file: DDL,
    from: "  named(walk, part.indexIncludingParams, { kind: 'IndexElem', items })\n",
    to: '',
    fails: { [OWN]: ['CREATE INDEX ON customers (id) INCLUDE (email)'] },
  },
  {
    id: 'moving',
    against: 'renaming, re-typing, moving or attaching as a partition what is marked',
    file: DDL,
    from: '  // An unknown relation holds nothing that is masked by name yet; the target will say that it does not exist.\n',
    to: '  return\n',
    fails: {
      [MASKED]: [
        'ALTER TABLE customers RENAME TO c2',
        'ALTER TABLE customers RENAME COLUMN email TO e',
        'ALTER TABLE customers SET SCHEMA other',
        'ALTER SCHEMA public RENAME TO other',
        'ALTER TABLE orders ATTACH PARTITION customers DEFAULT',
        'CREATE TABLE x () INHERITS (customers)',
      ],
    },
  },
  {
    id: 'create-as-execute',
    against: 'CREATE TABLE AS EXECUTE',
    file: DDL,
    from: "  if (query !== undefined && 'ExecuteStmt' in query)\n",
    to: '  if (false)\n',
    fails: { [MASKED]: ['CREATE TABLE x AS EXECUTE p'] },
  },
  {
    id: 'unknown-definitions',
    against: 'rules, triggers and definitions that nobody knows',
    file: DDL,
    from: '  } else walk.value({ Unknown: stmt } as unknown as Node, NOWHERE)\n',
    to: '  }\n',
    fails: {
      [MASKED]: ['CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT * FROM customers'],
    },
  },
  {
    id: 'code',
    against: 'code, files, other servers, replication: what reads past the tables',
    file: 'src/protocols/postgres/sql/masked.ts',
    from: 'bindsCode(masked) ? codeRefusal(stmt, classes) : undefined',
    to: 'bindsCode(masked) ? undefined : codeRefusal(stmt, classes)',
    fails: {
      [CODE]: [
        'SELECT f(1) is refused',
        'DO $$ BEGIN END $$ is refused',
        "COPY orders TO '/tmp/x' is refused",
        'pg_logical_slot_get_changes',
        'CREATE DATABASE d TEMPLATE shop is refused',
        'CREATE EXTENSION dblink is refused',
      ],
    },
  },
  {
    id: 'past-relations',
    against: 'built-in functions that read files, query texts and WAL',
    file: 'src/protocols/postgres/sql/masked-code.ts',
    from: '.find((name) => PAST_RELATIONS.test(name))',
    to: '.find(() => false)',
    fails: {
      [CODE]: [
        'SELECT * FROM pg_stat_get_activity(NULL) is refused',
        'SELECT mode FROM pg_get_multixact_members(',
      ],
    },
  },
  {
    id: 'opaque-under-masks',
    against: 'a text that is not understood, under a role that may send such',
    file: 'src/protocols/postgres/mask-refusals.ts',
    from: 'if (statement.opaque !== undefined && masks.hides) {',
    to: 'if (false) {',
    fails: {
      'test/protocols/postgres/mask-refusals.test.ts': [
        'what is not understood is refused while a mask hides something',
      ],
    },
  },
]
