/**
 * IO (files). What a real PostgreSQL 15 with `schema.sql` answers to the gateway's own questions.
 * Captured anew by `SLUICE_CAPTURE=1 npx vitest run test/real/contract-fixture.test.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lookText } from '../../src/protocols/postgres/sql/catalogue-look.ts'
import { CATALOGUE_TEXT, NAMES_TEXT } from '../../src/protocols/postgres/sql/catalogue-query.ts'

/** Of every capture the same. */
const PLACE = { at: '127.0.0.1', start: '2023-11-14T22:13:20.25+00:00' }
const PATH = join(import.meta.dirname, 'fixture.json')

export interface Fixture {
  /** JSON texts, as the target sends them. */
  readonly look: string
  readonly catalogue: string
  readonly names: string
}

export const schemaSql = (): string => readFileSync(join(import.meta.dirname, 'schema.sql'), 'utf8')

export function readFixture(): Fixture {
  const { look, catalogue, names } = JSON.parse(readFileSync(PATH, 'utf8'))
  return {
    look: JSON.stringify(look),
    catalogue: JSON.stringify(catalogue),
    names: JSON.stringify(names),
  }
}

/** `ask` runs one text and answers the one value of its one row. */
export function capture(ask: (text: string) => string): Fixture {
  return {
    look: ask(lookText(undefined)),
    catalogue: ask(CATALOGUE_TEXT),
    names: ask(NAMES_TEXT),
  }
}

export function writeFixture(fixture: Fixture): void {
  const { look, catalogue, names } = fixture
  const parts = {
    look: { ...JSON.parse(look), ...PLACE },
    names: JSON.parse(names),
    catalogue: JSON.parse(catalogue),
  }
  writeFileSync(PATH, `${JSON.stringify(parts)}\n`)
}

/** What a target that answers this to NAMES_TEXT answers to IDLE_NAMES_TEXT. `place`: another server than the fixture's. */
export function idleAnswer(
  names: Readonly<Record<string, unknown>>,
  place: { readonly at?: string; readonly start?: string } = {},
): string {
  const { path, user, setting, version, client, server, strings } = names
  const temporary = names.temporary === null ? '0' : '16400'
  return JSON.stringify({
    ...{ path, user, setting, version: String(version), client, server, strings },
    ...{ temporary, ...PLACE, ...place },
  })
}
