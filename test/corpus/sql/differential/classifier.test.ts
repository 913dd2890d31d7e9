/** The classifier against PostgreSQL 15, on generated statements: `compare.ts` says how. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { type Postgres, startPostgres } from '../../../lib/postgres.ts'
import { compare, found, generated, shown } from './compare.ts'
import { Oracle, schemaText } from './oracle.ts'

let server: Postgres
let oracle: Oracle

beforeAll(async () => {
  await loadParser()
  server = await startPostgres({ config: ['autovacuum = off'] })
  server.sql('CREATE ROLE peon; CREATE DATABASE shop')
  server.sql(schemaText(), 'shop')
  oracle = await Oracle.connect(server.urlOf('shop'))
})

afterAll(async () => {
  await oracle?.end()
  await server?.stop()
})

test('what was found before, and what needs one guard each, is said now', async () => {
  const report = await compare(oracle, found())
  expect(report.found).toEqual([])
  expect(report.opaque).toEqual([])
  expect(report.accepted).toBe(report.statements)
})

test('nothing that a statement does is more than what was said of it', async () => {
  const report = await compare(oracle, generated(2))
  console.log(shown(report))
  expect(report.found).toEqual([])
  expect(report.accepted / report.statements).toBeGreaterThan(0.8)
}, 3_600_000)
