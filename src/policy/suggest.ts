/**
 * Pure. From what a job did to the least that lets it go on: a role with the classes it used, and a policy that denies
 * what it never did. Reads what was allowed and understood; what was refused is nothing that it needs.
 */
import { type ActionClass, CLASSES } from '../decide/action.ts'
import type { RecordedGroup } from './recorded.ts'

/** More names than these are told by their schema. */
const NAMES_MAX = 200

export class Suggestion {
  readonly #job: string
  readonly #classes = new Set<ActionClass>()
  readonly #connections = new Set<string>()
  readonly #lists = {
    commands: new Set<string>(),
    tables: new Set<string>(),
    tables_written: new Set<string>(),
    functions: new Set<string>(),
  }
  readonly #copies = new Set<string>()
  #isBounded = true
  #isByKey = true
  #writes = 0
  actions = 0
  /** Refused, not understood, or without facts. */
  leftOut = 0

  constructor(job: string) {
    this.#job = job
  }

  add(group: RecordedGroup): void {
    const read = group.verdict === 'allow' ? factsOf(group.facts) : undefined
    if (read === undefined) {
      this.leftOut += group.count
      return
    }
    const { classes, sql } = read
    this.actions += group.count
    this.#connections.add(group.connection)
    for (const one of CLASSES) if (classes.includes(one)) this.#classes.add(one)
    for (const name of ['commands', 'tables', 'tables_written', 'functions'] as const)
      for (const one of strings(sql[name])) this.#lists[name].add(one)
    if (typeof sql.copy === 'string' && sql.copy !== '') this.#copies.add(sql.copy)
    if (sql.writes !== true) return
    this.#writes += group.count
    this.#isBounded &&= sql.bounded === true
    this.#isByKey &&= sql.by_key === true
  }

  /** A policy file, with the role in a comment; in mode monitor until somebody has read it. */
  text(): string {
    const name = `job-${this.#job.replaceAll(/[^A-Za-z0-9_.-]/g, '-').substring(0, 50) || 'none'}`
    const connections = [...this.#connections].sort()
    const allow = CLASSES.filter((one) => this.#classes.has(one))
    const rules = this.#rules().map(
      ({ id, when, message }) =>
        `  - id: ${id}\n    when: ${quoted(when)}\n    then: deny\n    message: ${quoted(message)}\n`,
    )
    const notUsed =
      this.leftOut === 0
        ? ''
        : `, and ${this.leftOut} that were refused or not understood, which are left out`
    return (
      `# Least privilege, as seen in ${this.actions} recorded actions of the job ${JSON.stringify(this.#job)}${notUsed}.\n` +
      '# Read it before it enforces: what a job does once a month may not have been seen.\n#\n' +
      `# roles:\n#   ${name}:\n#     members: [${JSON.stringify(`subject:${this.#job}`)}] # whoever runs the job\n` +
      `#     connections: ${JSON.stringify(connections)}\n#     allow: [${allow.join(', ')}]\n` +
      `apiVersion: sluice/v1\nkind: Policy\nname: ${name}\nmode: monitor\n` +
      `applies: { connections: ${JSON.stringify(connections)}, roles: [${name}] }\nrules:\n${rules.join('')}`
    )
  }

  #rules(): { id: string; when: string; message: string }[] {
    const { commands, tables, tables_written, functions } = this.#lists
    const own = new Set([...functions].filter((one) => !one.startsWith('pg_catalog.')))
    const rules = [
      {
        id: 'other-commands',
        when: `!sql.commands.all(c, ${among('c', commands)})`,
        message: 'This job has never sent such a command.',
      },
      {
        id: 'other-tables',
        when: `!sql.tables.all(t, ${named('t', tables)})`,
        message: 'This job has never named that table.',
      },
      {
        id: 'other-writes',
        when: `!sql.tables_written.all(t, ${named('t', tables_written)})`,
        message: 'This job has never written to that table.',
      },
      {
        id: 'other-functions',
        when: `!sql.functions.all(f, f.startsWith("pg_catalog.") || ${named('f', own)})`,
        message: 'This job has never called that function.',
      },
      {
        id: 'other-copies',
        when: `!(${['', ...this.#copies].map((one) => `sql.copy == ${JSON.stringify(one)}`).join(' || ')})`,
        message: 'This job has never copied that way.',
      },
    ]
    if (this.#writes > 0 && this.#isBounded) {
      const fact = this.#isByKey ? 'by_key' : 'bounded'
      const how = this.#isByKey ? 'rows by their key' : 'rows that are named'
      rules.push({
        id: 'wider-writes',
        when: `sql.writes && !sql.${fact}`,
        message: `This job has only ever written ${how}.`,
      })
    }
    return rules
  }
}

function factsOf(
  text: string,
): { classes: readonly string[]; sql: Readonly<Record<string, unknown>> } | undefined {
  try {
    const { classes, opaque, sql } = JSON.parse(text)
    const isRead =
      Array.isArray(classes) && opaque !== true && typeof sql === 'object' && sql !== null
    return isRead ? { classes, sql } : undefined
  } catch {
    return undefined
  }
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function among(variable: string, names: ReadonlySet<string>): string {
  if (names.size === 0) return 'false'
  const words = [...names].sort().map((one) => JSON.stringify(one))
  return `${variable} in [${words.join(', ')}]`
}

/** Each by its name, or by its schema where there are many. */
function named(variable: string, names: ReadonlySet<string>): string {
  if (names.size <= NAMES_MAX) return among(variable, names)
  const schemas = [...new Set([...names].map((one) => one.split('.', 1)[0]!))].sort()
  return schemas.map((one) => `${variable}.startsWith(${JSON.stringify(`${one}.`)})`).join(' || ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
