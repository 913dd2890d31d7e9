import { beforeAll, expect, test } from 'vitest'
import { suiteNames } from '../../src/policy/suite-schema.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { POLICY, policies } from './fixtures.ts'

beforeAll(loadParser)

const suite = (schema: string) => policies(`${POLICY}${schema}`).suites[0]!

test('problems stand where they are in the file', () => {
  const found = suiteNames(suite('schema: |\n  CREATE TABLE a (id int);\n  -- ü\n  CREATE x;\n'))
  const above = POLICY.split('\n').length
  expect(found.problems).toMatchObject([{ file: '/p0.yaml', line: above + 3, column: 10 }])
})

test('a file without a schema takes the one that is given', () => {
  const { names } = suiteNames(suite(''), 'CREATE TABLE a (id int)')
  expect(names.catalogue.relationByName('public', 'a')?.columns).toHaveLength(1)
  const own = suiteNames(suite('schema: CREATE TABLE b (id int)\n'), 'CREATE TABLE a (id int)')
  expect(own.names.catalogue.relationByName('public', 'a')).toBeUndefined()
})
