/** IO. What was recorded, over the API: sessions, and SQL for auditors. Also ends sessions. */
import { readFile } from 'node:fs/promises'
import { Bundle } from '../../replay/bundle.ts'
import type { Store } from '../../replay/store.ts'
import { type Answer, json, problem } from '../answer.ts'
import { EVIDENCE_BODY, readEvidence } from './evidence.ts'
import { Fields } from './fields.ts'
import type { Call, Caller, Route } from './route.ts'

export interface RecordParts {
  /** Throws GW_UNAVAILABLE while the records cannot be read. */
  store(): Store
  record(caller: Caller, moment: { status: string; text: string }): void
  /** False: no worker had it open. */
  endSession(id: string): Promise<boolean>
  /** Heads of chains as the state database has kept them, in the form of the evidence. */
  knownHeads(): Promise<readonly object[]>
}

const PAGE_MAX = 500
const SQL_CHARACTERS_MAX = 64 * 1024

export function recordRoutes(parts: RecordParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/sessions',
      needs: 'view',
      summary: 'Lists sessions, newest first.',
      handle: (call) => listSessions(call, parts),
    },
    {
      method: 'GET',
      path: '/api/v1/sessions/{id}',
      needs: 'view',
      summary: 'Shows one session.',
      handle: async (call) => {
        const session = await parts.store().session(call.id)
        return session === undefined
          ? problem(404, 'There is no such session.')
          : json(200, session)
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/sessions/{id}',
      needs: 'kill',
      summary: 'Ends a session at once, wherever it runs.',
      recordsItself: true,
      handle: async (call) => {
        parts.record(call.caller, { status: 'session-killed', text: `session ${call.id}` })
        return (await parts.endSession(call.id))
          ? json(202, { id: call.id, ending: true })
          : problem(404, 'No session of this id is open.')
      },
    },
    {
      method: 'POST',
      path: '/api/v1/audit/query',
      isLong: true,
      needs: 'audit',
      summary: 'Runs one read-only SQL statement on the records.',
      recordsItself: true,
      body: {
        type: 'object',
        required: ['sql'],
        additionalProperties: false,
        properties: { sql: { type: 'string', maxLength: SQL_CHARACTERS_MAX } },
      },
      handle: (call) => query(call, parts),
    },
    {
      method: 'POST',
      path: '/api/v1/audit/evidence',
      needs: 'audit',
      summary: 'Gives what it takes to verify a range or a session of the record, page by page.',
      recordsItself: true,
      body: EVIDENCE_BODY,
      handle: (call) => evidence(call, parts),
    },
    {
      method: 'GET',
      path: '/api/v1/audit/bundle',
      needs: 'audit',
      summary:
        'Gives the evidence bundle of a session, ?session=: one page with all it takes to verify it.',
      recordsItself: true,
      handle: (call) => bundle(call, parts),
    },
  ]
}

/** With a cursor, the page after the one that it came with. */
async function evidence(call: Call, parts: RecordParts): Promise<Answer> {
  const from = readEvidence(call.body)
  if (from === undefined)
    return problem(400, 'Send {"since": microseconds}, {"session": "id"} or {"cursor": …}.')
  if ('chains' in from) return json(200, await parts.store().evidence(from))
  const text = from.type === 'session' ? `session ${from.session}` : 'a range'
  parts.record(call.caller, { status: 'audit-evidence', text: `evidence of ${text}` })
  // First: what is signed and copied after this is not older.
  const known = await parts.knownHeads()
  const page = await parts.store().evidence(from)
  return json(200, { ...page, lines: [...page.lines, { known }] })
}

/** In pages, so that it takes no more memory than one of them. */
async function bundle(call: Call, parts: RecordParts): Promise<Answer> {
  const from = readEvidence({ session: call.query.get('session') ?? '' })
  if (from === undefined || 'chains' in from) return problem(400, 'Send ?session=<id>.')
  const session = call.query.get('session') ?? ''
  if ((await parts.store().session(session)) === undefined)
    return problem(404, 'There is no such session.')
  parts.record(call.caller, { status: 'audit-evidence', text: `bundle of session ${session}` })
  const known = await parts.knownHeads()
  const verifier = await readFile(new URL('../../replay/verifier.mjs', import.meta.url), 'utf8')
  const file = new Bundle(verifier)
  const stream = async function* (): AsyncGenerator<string> {
    yield file.begin()
    let page = await parts.store().evidence(from)
    for (const line of [...page.lines, { known }]) yield file.line({ ...line })
    while (page.next !== undefined) {
      page = await parts.store().evidence(page.next)
      for (const line of page.lines) yield file.line({ ...line })
    }
    yield file.end()
  }
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    // Saved and not shown: a page of ours on this address could speak for the console.
    'content-disposition': `attachment; filename="sluice-${session.replace(/[^\w.-]/g, '')}.html"`,
    'content-security-policy': "default-src 'none'; sandbox",
  }
  return { status: 200, headers, body: '', stream: stream() }
}

async function listSessions(call: Call, parts: RecordParts): Promise<Answer> {
  const limit = Math.min(PAGE_MAX, Math.max(1, Number(call.query.get('limit') ?? 100) || 1))
  const before = call.query.get('cursor')
  // One more than asked for says whether there is another page.
  const filter = { limit: limit + 1, ...(before === null ? {} : { before }) }
  const found = await parts.store().sessions(filter)
  const sessions = found.filter((_, at) => at < limit)
  const next = found.length > limit ? (sessions.at(-1)?.session_id ?? null) : null
  return json(200, { sessions, next })
}

async function query(call: Call, parts: RecordParts): Promise<Answer> {
  const fields = new Fields(call.body, ['sql'])
  const sql = fields.text('sql', SQL_CHARACTERS_MAX)
  if (sql === undefined)
    return problem(400, 'Send {"sql": "SELECT …"}.', { problems: fields.problems })
  const store = parts.store()
  // The text may hold what somebody looked for; the record says only that and who.
  parts.record(call.caller, { status: 'audit-query', text: 'SQL on the records' })
  const found = await store.audit(sql)
  if (found.type === 'refused') return problem(400, found.say)
  return json(200, { rows: found.rows, cut: found.cut })
}
