/**
 * The same as `classifier.test.ts` against PostgreSQL 18, whose grammar the parser has: what 15 reads, and what
 * came since.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { type NewestPostgres, startNewestPostgres } from '../../../lib/embedded-postgres.ts'
import { compare, found, generated, shown } from './compare.ts'
import { Oracle, schemaText } from './oracle.ts'

let server: NewestPostgres
let oracle: Oracle

beforeAll(async () => {
  await loadParser()
  server = await startNewestPostgres()
  await server.sql('ALTER SYSTEM SET autovacuum = off')
  await server.sql('SELECT pg_reload_conf()')
  await server.sql('CREATE ROLE peon')
  await server.sql('CREATE DATABASE shop')
  await server.sql(schemaText(), 'shop')
  oracle = await Oracle.connect(server.urlOf('shop'))
})

afterAll(async () => {
  await oracle?.end()
  await server?.stop()
})

test('what was found before, and what needs one guard each, is said now', async () => {
  const report = await compare(oracle, found())
  expect(report.found).toEqual([])
})

test('nothing that a statement does is more than what was said of it, and both read the same grammar', async () => {
  const report = await compare(oracle, generated(20, 0.5))
  console.log(shown(report))
  expect(report.found).toEqual([])
  expect(report.opaque).toEqual([])
  expect(report.misread).toEqual([])
  expect(report.accepted / report.statements).toBeGreaterThan(0.8)
}, 3_600_000)
