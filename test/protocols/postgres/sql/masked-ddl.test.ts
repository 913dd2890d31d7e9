import { beforeAll, expect, test } from 'vitest'
import { catalogueOf } from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { INITDB } from '../../../../src/protocols/postgres/sql/initdb-names.ts'
import { walked } from '../../../../src/protocols/postgres/sql/lineage/lineage.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { MASKED, masks, NAMES, one, RELATIONS } from './sample.ts'

beforeAll(loadParser)

function refusal(text: string, names = NAMES, masked = MASKED): string | undefined {
  const options = { names, masked, functionsRead: [], identityParameter: undefined }
  return walked(one(text), options).walk.refusal?.reason
}

test.each([
  'ALTER TABLE customers RENAME TO c',
  'ALTER TABLE customers ALTER card TYPE bytea USING NULL',
  'ALTER TABLE ONLY events ATTACH PARTITION customers DEFAULT',
  'ALTER VIEW customer_mails RENAME TO m',
  'ALTER TABLE customers REPLICA IDENTITY FULL',
  'ALTER TABLE customers ADD EXCLUDE USING hash (card WITH =)',
  'ALTER SCHEMA public RENAME TO p',
  'ALTER INDEX i ATTACH PARTITION customers',
  'ALTER TABLE customers ALTER email SET DEFAULT 1',
  'ALTER TYPE row_type RENAME ATTRIBUTE email TO e CASCADE',
  'ALTER TYPE row_type ALTER ATTRIBUTE email TYPE varchar(5) CASCADE',
  'ALTER TABLE customers CLUSTER ON customers_email_key',
  'ALTER TABLE ONLY customers DROP COLUMN email',
  'CREATE OR REPLACE VIEW customer_mails AS SELECT 1 AS id, NULL::text AS email',
])('%s could take a mask away', (text) => {
  expect(refusal(text)).toBeDefined()
})

test.each([
  'DROP TABLE customers',
  'ALTER TABLE customers DROP COLUMN email',
  'ALTER TABLE ONLY customers DROP COLUMN name',
  'CREATE OR REPLACE VIEW customer_names AS SELECT id, name FROM customers',
  'CREATE OR REPLACE VIEW new_view AS SELECT id, name FROM customers',
  'CREATE OR REPLACE TEMP VIEW customer_mails AS SELECT id FROM orders',
  'ALTER TABLE customers ALTER name SET DEFAULT 1',
  'ALTER TABLE customers ALTER email DROP DEFAULT',
  'ALTER TABLE customers RENAME CONSTRAINT a TO b',
  'ALTER TABLE orders RENAME TO o',
  'ALTER TABLE nosuch RENAME TO o',
  'ALTER SCHEMA other RENAME TO p',
  'CREATE TABLE x (id int PRIMARY KEY, c int REFERENCES customers (id))',
  'CREATE TABLE x (LIKE customers)',
  'CREATE TYPE mood AS ENUM ()',
])('%s shows and moves nothing that is masked', (text) => {
  expect(refusal(text)).toBeUndefined()
})

test.each([
  'CREATE INDEX ON customers (id) INCLUDE (email)',
  'ALTER TABLE customers ADD UNIQUE (id) INCLUDE (email)',
  'CLUSTER customers USING customers_email_key',
  'CLUSTER customers',
  'CLUSTER',
])('%s would let a masked value decide', (text) => {
  expect(refusal(text)).toBeDefined()
})

test.each([
  'CREATE INDEX ON customers (id) INCLUDE (name)',
  'CLUSTER orders',
  'ALTER TYPE row_type RENAME ATTRIBUTE name TO n CASCADE',
])('%s names nothing that is masked', (text) => {
  expect(refusal(text)).toBeUndefined()
})

test('a column that is dropped from a parent may stay in a child of its own', () => {
  const inherited = RELATIONS.map((relation) =>
    relation.name === 'customers' ? { ...relation, children: [20002] } : relation,
  )
  const parts = { routines: [], operators: [], types: [], casts: [] }
  const catalogue = (relations: typeof RELATIONS) =>
    catalogueOf({ serverVersion: 180000, epoch: 1, builtIn: INITDB, relations, ...parts })
  const text = 'ALTER TABLE customers DROP COLUMN email'
  expect(refusal(text, { ...NAMES, catalogue: catalogue(inherited) })).toBeDefined()
  const others = text.replace('email', 'name')
  expect(refusal(others, { ...NAMES, catalogue: catalogue(inherited) })).toBeUndefined()
  const partitioned = inherited.map((relation) =>
    relation.name === 'customers' ? { ...relation, kind: 'p' } : relation,
  )
  expect(refusal(text, { ...NAMES, catalogue: catalogue(partitioned) })).toBeUndefined()
})

test('a constraint of a domain tries the values of all columns of it', () => {
  const email = (column: { name: string }) => column.name === 'email'
  const relations = RELATIONS.map((relation) => ({
    ...relation,
    columns: relation.columns.map((one) => (email(one) ? { ...one, typeOid: 30050 } : one)),
  }))
  const nothing = { routines: [], operators: [], types: [], casts: [] }
  const catalogue = catalogueOf({
    ...{ serverVersion: 180000, epoch: 1, builtIn: INITDB, relations },
    ...nothing,
  })
  const ofDomain = { ...NAMES, catalogue }
  for (const change of ["ADD CHECK (value < 'm')", 'VALIDATE CONSTRAINT c', 'SET NOT NULL']) {
    expect(refusal(`ALTER DOMAIN short ${change}`, ofDomain)).toBeDefined()
    expect(refusal(`ALTER DOMAIN short ${change}`)).toBeUndefined()
  }
  for (const change of ['DROP CONSTRAINT c', 'DROP NOT NULL', 'SET DEFAULT 1'])
    expect(refusal(`ALTER DOMAIN short ${change}`, ofDomain)).toBeUndefined()
})

test('whether a column could be NOT NULL tells what the mask `null` hides', () => {
  const text = 'ALTER TABLE customers ALTER email SET NOT NULL'
  const hidden = masks([{ relation: 20001, column: 3, mask: { transform: { type: 'null' } } }])
  expect(refusal(text, NAMES, hidden)).toBeDefined()
  expect(refusal(text)).toBeUndefined()
  expect(refusal(text.replace('email', 'name'), NAMES, hidden)).toBeUndefined()
  const key = 'ALTER TABLE customers ADD PRIMARY KEY USING INDEX i'
  expect(refusal(key, NAMES, hidden)).toBeDefined()
  expect(refusal(key)).toBeUndefined()
  expect(refusal('ALTER TABLE customers ADD UNIQUE USING INDEX i', NAMES, hidden)).toBeUndefined()
})
