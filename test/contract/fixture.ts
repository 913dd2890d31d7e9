/**
 * IO (files). What a real PostgreSQL 15 with `schema.sql` answers to the gateway's own questions.
 * Captured anew by `SLUICE_CAPTURE=1 npx vitest run test/real/contract-fixture.test.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CATALOGUE_TEXT,
  NAMES_TEXT,
  VERSION_TEXT,
} from '../../src/protocols/postgres/sql/catalogue-query.ts'

const PATH = join(import.meta.dirname, 'fixture.json')

export interface Fixture {
  readonly version: string
  /** JSON texts, as the target sends them. */
  readonly catalogue: string
  readonly names: string
}

export const schemaSql = (): string => readFileSync(join(import.meta.dirname, 'schema.sql'), 'utf8')

export function readFixture(): Fixture {
  const { version, catalogue, names } = JSON.parse(readFileSync(PATH, 'utf8'))
  return { version, catalogue: JSON.stringify(catalogue), names: JSON.stringify(names) }
}

/** `ask` runs one text and answers the one value of its one row. */
export function capture(ask: (text: string) => string): Fixture {
  return { version: ask(VERSION_TEXT), catalogue: ask(CATALOGUE_TEXT), names: ask(NAMES_TEXT) }
}

export function writeFixture(fixture: Fixture): void {
  const { version, catalogue, names } = fixture
  const parts = { version, names: JSON.parse(names), catalogue: JSON.parse(catalogue) }
  writeFileSync(PATH, `${JSON.stringify(parts)}\n`)
}
