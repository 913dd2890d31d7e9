/**
 * IO (files). The tables and views of the record, as numbered SQL files that can be run any number
 * of times.
 *
 * A file is never edited once released: what changes stands in the next number.
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface SchemaOptions {
  readonly database: string
  readonly retentionDays: number
}

/** All statements in order. Every one of them may be run again. */
export function schemaStatements(options: SchemaOptions): string[] {
  const folder = new URL('./schema/', import.meta.url)
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return files.flatMap((name) => statementsOf(readFileSync(new URL(name, folder), 'utf8'), options))
}

function statementsOf(text: string, options: SchemaOptions): string[] {
  const filled = text
    .replace(/^--.*$/gm, '')
    .replaceAll('{database}', `\`${options.database}\``)
    .replaceAll('{retention_days}', String(Math.max(1, Math.floor(options.retentionDays))))
  return filled
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
