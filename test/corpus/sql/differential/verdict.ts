/**
 * Pure. What the classifier said of a statement against what a server saw it do. Every sentence it gives is a
 * finding: the classifier promised less than happened.
 */
import type { Statement } from '../../../../src/protocols/postgres/sql/analysis.ts'
import type { Ddl, Row, Seen, State } from './oracle.ts'

/** Tables that the triggers of `schema.sql` write; a write lists its triggers, not what they do. */
const TRIGGERED: ReadonlyMap<string, string> = new Map([
  ['public.orders.note_change', 'public.audit'],
])

/** The committed list of semantics §1, "Harmless parameters". search_path is looked at as a name. */
const HARMLESS =
  /^(application_name|DateStyle|IntervalStyle|TimeZone|extra_float_digits|bytea_output|client_min_messages|.*_timeout|row_security|synchronize_seqscans|restrict_nonsystem_relation_kind|jit|enable_.*|plan_cache_mode|default_transaction_.*|standard_conforming_strings|client_encoding)$/

/** Catalogues of what is beyond one database's objects, and of rights. */
const ADMINISTERED =
  /^pg_(authid|auth_members|db_role_setting|database|tablespace|default_acl|extension|event_trigger|publication.*|subscription.*|foreign_.*|user_mapping|seclabel|shseclabel|language|am|parameter_acl)$/

const CODE =
  /^(function|procedure|aggregate|trigger|rule|policy|operator.*|cast|transform|conversion)$/

/** What a text may name, or what a write to what it names runs. */
const NAMED =
  /^(table|view|materialized view|sequence|index|function|procedure|aggregate|type|composite type|domain|operator|cast|schema|rule|trigger|table column)$/

export interface Judged {
  readonly statement: Statement
  readonly seen: Seen
  /** What names meant to the classifier, and what they mean now, as text to compare. */
  readonly meaning: { readonly before: string; readonly after: string }
}

export interface Change {
  readonly name: string
  readonly removed: readonly Row[]
  readonly added: readonly Row[]
}

export function findings({ statement, seen, meaning }: Judged): string[] {
  if (statement.opaque !== undefined) return []
  const { facts, effect } = statement
  const has = (...classes: readonly string[]) =>
    classes.some((one) => (statement.classes as readonly string[]).includes(one))
  const found: string[] = []
  const claim = (holds: boolean, otherwise: string) => {
    if (!holds) found.push(otherwise)
  }
  const reads = statement.classes.every((one) => one === 'read')
  if (seen.refusedReadOnly) claim(!reads, 'is read, and a READ ONLY transaction refuses it')
  if (!seen.accepted) return found

  // What it takes back was looked at when it was done.
  if (effect.transaction === 'rollback-to') return found

  const { before, after } = seen
  const changes = changesOf(before, after)
  const events = ddlSince(before, after)
  const changedCatalogues = catalogues(before, after)
  const changedSettings = settingsSince(before, after)
  if (reads) {
    for (const { name } of changes) found.push(`is read, and changed ${name}`)
    for (const { tag, name } of events) found.push(`is read, and did ${tag} to ${name}`)
    claim(same(before.sequences, after.sequences), 'is read, and changed a sequence')
    claim(after.locks <= before.locks, 'is read, and took an advisory lock')
    claim(changedCatalogues.length === 0, `is read, and changed ${changedCatalogues.join()}`)
    claim(
      locksOf(before, after).length === 0 || isDry(facts.commands),
      'is read, and locks to write',
    )
  }
  claim(
    facts.writes || same(common(before, after), common(after, before)),
    'changed a sequence, and is said not to write',
  )
  if (!same([before.objects, before.owners], [after.objects, after.owners])) {
    claim(!reads && facts.writes, 'changed a large object, and is said not to write')
    claim(!facts.bounded, 'changed a large object, and is said to be bounded')
  }
  for (const name of changedSettings)
    claim(HARMLESS.test(name) || has('admin', 'execute'), `set ${name}, and is no admin`)
  found.push(...rows({ statement, seen, meaning }, { changes, events }))
  found.push(...definitions({ statement, seen, meaning }, events))
  if (!has('admin', 'execute'))
    for (const name of changedCatalogues)
      claim(!ADMINISTERED.test(name), `changed ${name}, and is no admin`)
  if (!has('schema', 'admin', 'execute') && !facts.commands.includes('TRUNCATE'))
    claim(
      changedCatalogues.length === 0 || events.some(isTemporary),
      `changed ${changedCatalogues.join()}, and is ${statement.classes.join()}`,
    )
  if (seen.command !== undefined && !has('execute'))
    claim(facts.commands.includes(seen.command), `is ${seen.command}, and commands do not say so`)
  if (seen.hasFields) claim(statement.returnsRows, 'returns rows, and is said not to')
  claim(
    effect.dirties || meaning.before === meaning.after,
    `changed what names mean, and is said not to: ${difference(meaning)}`,
  )
  return found
}

/** Rows: within tables_written, said to be written, and within the term that bounds them. */
function rows(
  { statement, seen }: Judged,
  { changes, events }: { changes: readonly Change[]; events: readonly Ddl[] },
): string[] {
  const found: string[] = []
  const { facts } = statement
  const free = statement.classes.includes('execute')
  const written = new Set(facts.tables_written)
  for (const trigger of facts.triggers) written.add(TRIGGERED.get(trigger) ?? '')
  const filled = events.some(({ event }) => event !== 'ddl_command_end')
  for (const { name, removed, added } of changes) {
    if (!free && !written.has(name)) found.push(`changed ${name}, which is not in tables_written`)
    if (name.startsWith('pg_temp.')) continue
    // A column that is added with a constant writes no row.
    const constant =
      facts.tags.includes('ALTER TABLE') && !filled && removed.length === added.length
    if (!facts.writes && !constant) found.push(`changed ${name}, and is said not to write`)
    const current = /CURRENT OF|LIMIT \d/.test(facts.literals.join()) || isCurrent(statement)
    if (facts.bounded && !current && removed.some(isFar))
      found.push(`is bounded, and changed ${JSON.stringify(removed.find(isFar))} of ${name}`)
  }
  if (!free && !statement.classes.some((one) => one === 'schema' || one === 'admin'))
    for (const name of locksOf(seen.before, seen.after))
      if (!written.has(name) && !isDry(facts.commands))
        found.push(`locks ${name} to write, which is not in tables_written`)
  return found
}

function isCurrent({ facts }: Statement): boolean {
  return facts.has_where && !facts.by_key && facts.columns.length === 0
}

function definitions({ statement }: Judged, events: readonly Ddl[]): string[] {
  const found: string[] = []
  const { classes, facts, effect } = statement
  if (
    classes.includes('execute') &&
    facts.commands.every((one) => ['DO', 'CALL', 'SELECT'].includes(one))
  )
    return []
  for (const one of events) {
    const what = `${one.tag} ${one.kind} ${one.name}`
    if (isTemporary(one)) {
      if (classes.every((each) => each === 'read')) found.push(`did ${what}, and is read`)
      continue
    }
    if (!classes.some((each) => ['schema', 'admin', 'execute'].includes(each)))
      found.push(`did ${what}, and is ${classes.join()}`)
    if (
      one.event === 'ddl_command_end' &&
      CODE.test(one.kind) &&
      !classes.includes('execute') &&
      !/^(COMMENT|GRANT|REVOKE|SECURITY)/.test(one.tag)
    )
      found.push(`did ${what}, and is no execute`)
    if (/^(GRANT|REVOKE)/.test(one.tag) && !classes.includes('admin'))
      found.push(`did ${what}, and is no admin`)
    if (one.event === 'sql_drop') {
      const table = droppedTable(one)
      if (table !== undefined && !facts.tables_written.includes(table))
        found.push(`dropped ${one.kind} ${one.name}, and ${table} is not in tables_written`)
      if (table !== undefined && !facts.writes)
        found.push(`dropped ${one.name}, and does not write`)
    }
    if (
      !effect.changesCatalogue &&
      NAMED.test(one.kind) &&
      !/^(GRANT|REVOKE|COMMENT|REFRESH|REINDEX|ALTER DEFAULT|SECURITY)/.test(one.tag)
    )
      found.push(`did ${what}, and the catalogue is said to stay`)
  }
  return found
}

function isTemporary({ schema, name }: Ddl): boolean {
  return `${schema}`.startsWith('pg_temp') || /(^| on )pg_temp/.test(`${name}`)
}

/** The table whose values a drop takes along. */
function droppedTable({ kind, name, schema }: Ddl): string | undefined {
  if (kind === 'table' || kind === 'materialized view') return name ?? undefined
  if (kind !== 'table column') return undefined
  return `${schema}.${name?.split('.')[1]}`
}

function isDry(commands: readonly string[]): boolean {
  return commands.some((one) =>
    ['EXPLAIN', 'PREPARE', 'LOCK', 'DECLARE', 'RELEASE', 'ROLLBACK'].includes(one),
  )
}

/** A row that holds a value of the far rows: no generated statement names one. */
export function isFar(row: Row): boolean {
  return Object.values(row).some(
    (value) =>
      (typeof value === 'number' && value >= 901 && value <= 903) ||
      (typeof value === 'string' && value.startsWith('far')),
  )
}

export function changesOf(before: State, after: State): Change[] {
  const changes: Change[] = []
  for (const oid of new Set([...Object.keys(before.tables), ...Object.keys(after.tables)])) {
    const [name, old] = before.tables[oid] ?? []
    const [newName, now] = after.tables[oid] ?? []
    const removed = without(old ?? [], now ?? [])
    const added = without(now ?? [], old ?? [])
    if (removed.length + added.length > 0)
      changes.push({ name: name ?? newName ?? '', removed, added })
  }
  return changes
}

/** By values, so that a column that gets another name changes no row. As multisets. */
function without(all: readonly Row[], others: readonly Row[]): Row[] {
  const counts = new Map<string, number>()
  const key = (row: Row) => JSON.stringify(Object.values(row))
  for (const row of others) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1)
  return all.filter((row) => {
    const left = counts.get(key(row)) ?? 0
    counts.set(key(row), left - 1)
    return left <= 0
  })
}

function ddlSince(before: State, after: State): Ddl[] {
  return (after.ddl ?? []).slice((before.ddl ?? []).length)
}

function locksOf(before: State, after: State): string[] {
  const old = new Set(before.locked ?? [])
  return (after.locked ?? []).filter((one) => !old.has(one))
}

function settingsSince(before: State, after: State): string[] {
  return Object.keys(after.settings).filter(
    (name) => before.settings[name] !== after.settings[name],
  )
}

function catalogues(before: State, after: State): string[] {
  const parts = (state: State) => state.catalogue.trim().split(' ')
  const old = new Set(parts(before))
  return parts(after)
    .filter((one) => !old.has(one))
    .map((one) => one.split('=')[0]!)
}

/** Sequences of `one` that are in `other` as well. */
function common(one: State, other: State): unknown {
  return Object.entries(one.sequences).filter(([oid]) => oid in other.sequences)
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function difference({ before, after }: Judged['meaning']): string {
  let at = 0
  while (at < before.length && before[at] === after[at]) at++
  return `${before.substring(at - 20, at + 60)} → ${after.substring(at - 20, at + 60)}`
}
