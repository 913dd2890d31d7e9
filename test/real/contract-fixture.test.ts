import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildCatalogue, namesFrom } from '../../src/protocols/postgres/sql/catalogue-read.ts'
import { capture, type Fixture, readFixture, schemaSql, writeFixture } from '../contract/fixture.ts'
import { type Postgres, startPostgres } from '../lib/postgres.ts'

let postgres: Postgres

beforeAll(async () => {
  postgres = await startPostgres()
  postgres.sql('CREATE DATABASE shop')
  postgres.sql(schemaSql(), 'shop')
})
afterAll(() => postgres.stop())

function tables(fixture: Fixture): string[] {
  const catalogue = buildCatalogue(fixture.catalogue, 1)
  if (catalogue === undefined) throw new Error('not a catalogue')
  expect(namesFrom(fixture.names, catalogue)?.searchPath).toEqual(['pg_catalog', 'public'])
  return [...catalogue.relations()]
    .filter(({ oid }) => oid >= 16384)
    .map(({ schema, name, columns }) => `${schema}.${name} ${columns.map((one) => one.name)}`)
    .sort()
}

test('the fixture of the contract suite is what PostgreSQL 15 answers today', () => {
  const captured = capture((text) => postgres.sql(text, 'shop'))
  if (process.env.SLUICE_CAPTURE !== undefined) writeFixture(captured)
  expect(tables(readFixture())).toEqual(tables(captured))
})
