/** IO. Search and named questions over the API: those that come with the gateway, and those that were saved here. */
import { builtInQuestions } from '../../replay/built-in.ts'
import { type AuditQuestion, fillQuestion, momentOf, readQuestion } from '../../replay/questions.ts'
import { cursorText, readCursor, type SearchFilter } from '../../replay/search.ts'
import { SEARCH_ROWS_MAX, type Store } from '../../replay/store.ts'
import { type Answer, json, problem } from '../answer.ts'
import type { Questions, SavedQuestion } from '../state/questions.ts'
import { Fields } from './fields.ts'
import type { Call, Caller, Route } from './route.ts'

export interface QuestionParts {
  /** Throws GW_UNAVAILABLE while the records cannot be read. */
  store(): Store
  questions(): Promise<Questions>
  record(caller: Caller, moment: { status: string; text: string }): void
  now(): number
}

const SQL_CHARACTERS_MAX = 32 * 1024
const TEXT_CHARACTERS_MAX = 1000
const VALUES_MAX = 50
const TEXT = { type: 'string', maxLength: TEXT_CHARACTERS_MAX }
const NAME = /^[a-z][a-z0-9-]{0,62}$/
const OPERANDS = ['object', 'subject', 'job', 'connection', 'rule', 'verdict', 'detector'] as const
const SEARCH_FIELDS = ['text', ...OPERANDS, 'since', 'until', 'limit', 'cursor']

export function questionRoutes(parts: QuestionParts): readonly Route[] {
  return [searchRoute(parts), ...namedRoutes(parts)]
}

function searchRoute(parts: QuestionParts): Route {
  return {
    method: 'POST',
    path: '/api/v1/audit/search',
    isLong: true,
    needs: 'audit',
    summary:
      'Finds actions by words, object, who, rule, verdict, what was masked and time; newest first.',
    recordsItself: true,
    body: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ...Object.fromEntries(SEARCH_FIELDS.map((name) => [name, TEXT])),
        limit: { type: 'integer', minimum: 1, maximum: SEARCH_ROWS_MAX },
        cursor: { type: 'string', description: 'the `next` of the page before' },
      },
    },
    handle: (call) => search(call, parts),
  }
}

function namedRoutes(parts: QuestionParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/audit/questions',
      needs: 'audit',
      summary: 'Lists the questions that can be asked by name.',
      handle: async () => json(200, { questions: await all(parts) }),
    },
    {
      method: 'POST',
      path: '/api/v1/audit/questions',
      needs: 'audit',
      summary: 'Saves a question under a name.',
      recordsItself: true,
      body: {
        type: 'object',
        required: ['name', 'sql'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', pattern: NAME.source },
          asks: TEXT,
          sql: { type: 'string', maxLength: SQL_CHARACTERS_MAX },
        },
      },
      handle: (call) => save(call, parts),
    },
    {
      method: 'POST',
      path: '/api/v1/audit/questions/{id}',
      isLong: true,
      needs: 'audit',
      summary: 'Asks a question, with values for its blanks.',
      recordsItself: true,
      body: {
        type: 'object',
        additionalProperties: false,
        properties: { values: { type: 'object', additionalProperties: { type: 'string' } } },
      },
      handle: (call) => run(call, parts),
    },
    {
      method: 'DELETE',
      path: '/api/v1/audit/questions/{id}',
      needs: 'audit',
      summary: 'Forgets a saved question.',
      recordsItself: true,
      handle: async (call) => {
        parts.record(call.caller, { status: 'question-forgotten', text: `question ${call.id}` })
        const wasThere = await (await parts.questions()).remove(call.id)
        return wasThere ? json(200, { name: call.id }) : problem(404, NO_QUESTION)
      },
    },
  ]
}

const NO_QUESTION = 'There is no such saved question.'

async function search(call: Call, parts: QuestionParts): Promise<Answer> {
  const fields = new Fields(call.body ?? {}, SEARCH_FIELDS)
  const filter: { -readonly [Name in keyof SearchFilter]: SearchFilter[Name] } = {}
  for (const name of ['text', ...OPERANDS] as const) {
    const value = fields.text(name, TEXT_CHARACTERS_MAX)
    if (value?.includes('\0')) fields.wrong(name, 'expected no zero bytes')
    else if (value !== undefined) filter[name] = value
  }
  for (const [name, field] of [
    ['since', 'sinceUs'],
    ['until', 'untilUs'],
  ] as const) {
    const value = fields.text(name)
    const ms = value === undefined ? undefined : momentOf(value, parts.now())
    if (ms !== undefined) filter[field] = ms * 1000
    else if (value !== undefined) fields.wrong(name, 'expected a moment, or how long ago: 24h, 7d')
  }
  const limit = fields.count('limit', SEARCH_ROWS_MAX) ?? 100
  const cursor = fields.text('cursor')
  const after = cursor === undefined ? undefined : readCursor(cursor)
  if (cursor !== undefined && after === undefined) fields.wrong('cursor', 'expected one of ours')
  if (fields.problems.length > 0)
    return problem(400, 'This search cannot be understood.', { problems: fields.problems })
  // What was looked for may itself be what nobody should read; the record says that and who.
  parts.record(call.caller, { status: 'audit-search', text: 'search in the records' })
  const { rows, next } = await parts.store().search(filter, { after, limit })
  return json(200, { rows, next: next === undefined ? null : cursorText(next) })
}

async function save(call: Call, parts: QuestionParts): Promise<Answer> {
  const fields = new Fields(call.body, ['name', 'asks', 'sql'])
  const name = fields.text('name') ?? ''
  const asks = fields.name('asks') ?? ''
  const sql = fields.text('sql', SQL_CHARACTERS_MAX) ?? ''
  if (!NAME.test(name)) fields.wrong('name', 'expected lower-case letters, digits and hyphens')
  else if (builtInQuestions().some((one) => one.name === name))
    fields.wrong('name', 'expected one that no question has which comes with the gateway')
  const read = readQuestion(sql)
  if ('problems' in read) for (const one of read.problems) fields.wrong('sql', one)
  if (fields.problems.length > 0 || 'problems' in read)
    return problem(400, 'This question cannot be saved.', { problems: fields.problems })
  // Tried with values that mean nothing: what may not run is not kept.
  const sample = new Map(read.fields.map(({ name: field, type }) => [field, SAMPLES[type]]))
  const filled = fillQuestion(read, sample, parts.now())
  const refused = 'sql' in filled ? await parts.store().check(filled.sql) : filled.problems[0]
  if (refused !== undefined) return problem(400, refused)
  parts.record(call.caller, { status: 'question-saved', text: `question ${name}` })
  const question = { name, asks, sql, savedBy: call.caller.name, savedAt: new Date(parts.now()) }
  const isSaved = await (await parts.questions()).save(question)
  return isSaved ? json(201, described(question)) : problem(409, 'There are too many questions.')
}

const SAMPLES = { String: '', UInt64: '0', 'DateTime64(6)': '1d' } as const

async function run(call: Call, parts: QuestionParts): Promise<Answer> {
  const question = await find(call.id, parts)
  if (question === undefined) return problem(404, 'There is no such question.')
  const values = valuesOf(call.body)
  if (values === undefined) return problem(400, 'Send {"values": {"name": "text", …}}.')
  const filled = fillQuestion(question, values, parts.now())
  if ('problems' in filled)
    return problem(400, 'This question needs other values.', { problems: filled.problems })
  parts.record(call.caller, { status: 'audit-question', text: `question ${question.name}` })
  const found = await parts.store().audit(filled.sql)
  if (found.type === 'refused') return problem(400, found.say)
  return json(200, { rows: found.rows, cut: found.cut })
}

/** By number or name. */
async function find(id: string, parts: QuestionParts): Promise<AuditQuestion | undefined> {
  const ours = builtInQuestions().find((one) => one.name === id || String(one.number) === id)
  if (ours !== undefined) return ours
  const saved = await (await parts.questions()).find(id)
  return saved === undefined ? undefined : questionOf(saved)
}

async function all(parts: QuestionParts): Promise<object[]> {
  const saved = await (await parts.questions()).list()
  return [...builtInQuestions(), ...saved.map(described)]
}

function questionOf(saved: SavedQuestion): AuditQuestion | undefined {
  const read = readQuestion(saved.sql)
  return 'problems' in read ? undefined : { number: 0, name: saved.name, asks: saved.asks, ...read }
}

function described(saved: SavedQuestion): object {
  return {
    ...questionOf(saved),
    saved_by: saved.savedBy,
    saved_at: saved.savedAt.toISOString(),
  }
}

/** undefined: not what was asked for. */
function valuesOf(body: unknown): ReadonlyMap<string, string> | undefined {
  if (body === undefined) return new Map()
  const fields = new Fields(body, ['values'])
  const { values = {} } = (body ?? {}) as { values?: unknown }
  if (fields.problems.length > 0 || typeof values !== 'object' || values === null) return undefined
  const entries = Object.entries(values)
  const areTexts = entries.every(([, value]) => typeof value === 'string')
  if (!areTexts || Array.isArray(values) || entries.length > VALUES_MAX) return undefined
  return new Map(entries.map(([name, value]) => [name, String(value)]))
}
