/** Pure once the parser is loaded. The catalogue that a file's `schema:` describes, and what is wrong with it, in place. */
import type { Problem } from '../config/problem.ts'
import type { TestSuite } from '../decide/policy-tests.ts'
import type { Names } from '../protocols/postgres/sql/analysis.ts'
import { readSchema } from './schema-catalogue.ts'

export interface SuiteNames {
  readonly names: Names
  /** Columns that foreign keys make equal (schema-catalogue.ts). */
  readonly links: readonly (readonly [from: string, to: string])[]
  readonly problems: readonly Problem[]
}

/** `fallback`: DDL for a file that has none of its own. */
export function suiteNames(suite: TestSuite, fallback = ''): SuiteNames {
  const { names, problems, links } = readSchema(suite.schema === '' ? fallback : suite.schema)
  return {
    names,
    links,
    problems: problems.map(({ message, offset }) => ({
      file: suite.file,
      ...placeIn(suite, offset),
      path: 'schema',
      message,
    })),
  }
}

function placeIn(suite: TestSuite, offset: number): { line: number; column: number } {
  const before = Buffer.from(suite.schema).toString('utf8', 0, offset)
  const line = before.split('\n').length - 1
  const start = suite.schemaLines[line] ?? { line: 0, column: 0 }
  return { line: start.line, column: start.column + before.length - (before.lastIndexOf('\n') + 1) }
}
