/**
 * IO (files). The tables and views of the record, as numbered SQL files: what has run is noted in the table `migrations`, and
 * not run again, but for what depends on the configuration.
 *
 * A file is never edited once released: what changes stands in the next number. Every statement may be run again, since a
 * migration that was cut off is begun anew. `-- otherwise` stands between a statement and what is run where the store, being
 * older, does not know it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { type Cluster, onCluster } from './schema-cluster.ts'

export interface SchemaOptions {
  readonly database: string
  readonly retentionDays: number
  /** Of the servers' own configuration; undefined: one server, or the embedded engine. */
  readonly cluster?: string | undefined
}

export interface Migration {
  readonly number: number
  readonly name: string
  readonly statements: readonly SchemaStatement[]
}

export interface SchemaStatement {
  /** One after the other; for a single machine there is one. */
  readonly run: readonly string[]
  /** Where the store does not know it. */
  readonly otherwise: readonly string[]
  /** Says how long something is kept, and is therefore run at every start. */
  readonly isOfConfiguration: boolean
}

/** What notes the others; made before them. */
export function migrationsTable(options: SchemaOptions): readonly string[] {
  return [
    'CREATE DATABASE IF NOT EXISTS {database}',
    `CREATE TABLE IF NOT EXISTS {database}.migrations
(
    number UInt32,
    name String,
    ran DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
  ].flatMap((statement) => formsOf(statement, options))
}

/** In order. */
export function migrations(options: SchemaOptions): Migration[] {
  const folder = new URL('./schema/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => /^\d{3}-[a-z-]+\.sql$/.test(name))
    .sort()
    .map((name) => ({
      number: Number(name.substring(0, 3)),
      name: name.replace('.sql', ''),
      statements: statementsOf(readFileSync(new URL(name, folder), 'utf8'), options),
    }))
}

function statementsOf(text: string, options: SchemaOptions): SchemaStatement[] {
  return text
    .split(/;\s*$/m)
    .map((part) => part.split(/^-- otherwise$/m).map(withoutComments))
    .filter(([first = '']) => first !== '')
    .map(([first = '', ...others]) => ({
      run: formsOf(first, options),
      otherwise: others.flatMap((one) => formsOf(one, options)),
      isOfConfiguration: first.includes('{retention_days}') && first.startsWith('ALTER'),
    }))
}

function withoutComments(text: string): string {
  return text.replace(/^--.*$/gm, '').trim()
}

function formsOf(statement: string, options: SchemaOptions): string[] {
  const { database, cluster } = options
  const filled = statement
    .replaceAll('{database}', `\`${database}\``)
    .replaceAll('{retention_days}', String(Math.max(1, Math.floor(options.retentionDays))))
  if (cluster === undefined) return [filled]
  return onCluster(filled, { name: cluster, database } satisfies Cluster)
}
