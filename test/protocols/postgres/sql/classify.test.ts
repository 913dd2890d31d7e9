import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parse as readYaml } from 'yaml'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { judge } from './catalogue-sample.ts'

interface Case {
  readonly sql: string
  readonly classes: string
  readonly tags?: readonly string[]
  readonly writes?: boolean
}

const FILE = join(import.meta.dirname, '../../../corpus/sql/classes/statements.yaml')
const cases: readonly Case[] = readYaml(readFileSync(FILE, 'utf8'))

beforeAll(loadParser)

test.each(cases.map((one) => [one.sql, one] as const))('%s', (sql, { classes, tags, writes }) => {
  const statement = judge(sql)
  expect(statement.classes.join(' ')).toBe(classes)
  if (tags !== undefined) expect(statement.facts.tags).toEqual(tags)
  if (writes !== undefined) expect(statement.facts.writes).toBe(writes)
})

test('every class but read comes with a reason', () => {
  for (const { sql } of cases) {
    const statement = judge(sql)
    if (statement.classes.join() !== 'read') expect(statement.reasons, sql).not.toEqual([])
  }
})
