/**
 * Pure once the parser is loaded. Two versions of policies side by side: which statements get another verdict, another
 * rule, or other masked columns. The statements are those of both versions' tests, and a corpus of common ones.
 */
import type { Config } from '../config/shape.ts'
import type { PolicySet } from '../decide/policy.ts'
import type { Names } from '../protocols/postgres/sql/analysis.ts'
import { maskedOutputs } from './outputs.ts'
import { suiteNames } from './suite-schema.ts'
import { type Asked, type Tried, tryOut } from './trial.ts'

export interface Change {
  readonly subject: string
  readonly roles: readonly string[]
  readonly connection: string
  readonly statement: string
  readonly was: string
  readonly is: string
}

export interface DiffReport {
  /** Statements that were tried, for each who may send them. */
  readonly tried: number
  readonly changes: readonly Change[]
}

/** What clients, tools and attackers send, whatever the tables are. */
const CORPUS: readonly string[] = [
  'SELECT 1',
  'SELECT version(), current_user',
  'SHOW server_version',
  'BEGIN',
  'COMMIT',
  "SET statement_timeout = '5s'",
  'SET ROLE postgres',
  'SELECT * FROM pg_catalog.pg_tables',
  'EXPLAIN SELECT 1',
  'CREATE TABLE t (id int)',
  'CREATE TEMP TABLE t (id int)',
  'CREATE INDEX i ON t (id)',
  'CREATE VIEW v AS SELECT 1 AS one',
  "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  'ALTER TABLE t ADD COLUMN note text',
  'DROP TABLE t',
  'TRUNCATE t',
  'INSERT INTO t VALUES (1)',
  'UPDATE t SET id = 2',
  'UPDATE t SET id = 2 WHERE id = 1',
  'DELETE FROM t',
  'DELETE FROM t WHERE id IN (1, 2)',
  'WITH gone AS (DELETE FROM t RETURNING id) SELECT count(*) FROM gone',
  'COPY t TO STDOUT',
  'COPY t FROM STDIN',
  "COPY t TO PROGRAM 'cat'",
  'LOCK TABLE t',
  'VACUUM t',
  'GRANT SELECT ON t TO bob',
  'CREATE ROLE bob',
  'ALTER SYSTEM SET log_statement = none',
  'CREATE EXTENSION dblink',
  'DO $$ BEGIN END $$',
  'CALL p()',
  'SELECT f(1)',
  "SELECT nextval('s')",
  'SELECT pg_sleep(1)',
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT lo_export(1, '/tmp/x')",
  'SELECT pg_terminate_backend(1)',
  'SELEC 1',
]

export function diff(
  versions: { readonly old: PolicySet; readonly new: PolicySet },
  place: { readonly config: Config; readonly now: number },
): DiffReport {
  const questions = new Map<string, { asked: Asked; names: Names }>()
  const add = (asked: Asked, names: Names, schema: string): void => {
    questions.set(JSON.stringify([asked, schema]), { asked, names })
  }
  for (const suite of [...versions.old.suites, ...versions.new.suites]) {
    const { names, problems } = suiteNames(suite)
    if (problems.length > 0) continue
    for (const test of suite.tests)
      if (place.config.connections.has(test.connection))
        add({ ...askedOf(test), ...test.as }, names, suite.schema)
  }
  const { names } = suiteNames({ file: '', policy: '', schema: '', schemaLines: [], tests: [] })
  for (const [role, { connections }] of place.config.roles)
    for (const connection of place.config.connections.keys())
      if (connections.length > 0)
        for (const statement of CORPUS) add(corpusQuestion(role, connection, statement), names, '')
  const changes: Change[] = []
  let tried = 0
  for (const { asked, names: known } of questions.values()) {
    const [old, now] = [versions.old, versions.new].map((policies) =>
      tryOut(asked, { ...place, policies, names: known }),
    ) as [Tried, Tried]
    if (old.grant === undefined) continue
    tried++
    const [was, is] = [told(old), told(now)]
    const { subject, roles, connection, statement } = asked
    if (was !== is) changes.push({ subject, roles: roles ?? [], connection, statement, was, is })
  }
  return { tried, changes }
}

function askedOf(test: PolicySet['suites'][number]['tests'][number]) {
  const { connection, database, statement, params, inTransaction } = test
  return { connection, database, statement, params, inTransaction }
}

function corpusQuestion(role: string, connection: string, statement: string): Asked {
  return {
    subject: 'anybody',
    roles: [role],
    groups: [],
    kind: 'workload',
    job: '',
    connection,
    database: '',
    statement,
    params: [],
    inTransaction: false,
  }
}

function told(tried: Tried): string {
  const { verdict } = tried
  if (verdict.verdict === 'deny')
    return verdict.rule === '' ? `deny (${verdict.kind})` : `deny ${verdict.rule}`
  const rule = verdict.rule || (verdict.wouldDeny && `(monitor ${verdict.wouldDeny})`)
  const masked = maskedOutputs(tried)
  return `allow${rule === '' ? '' : ` ${rule}`}${masked.length === 0 ? '' : `, masked: ${masked.join(', ')}`}`
}
