/** Work on policies, in real threads of the compiled gateway. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import {
  BUSY,
  PolicyThread,
  type PolicyThreadOptions,
  type Question,
} from '../../src/control/policy-thread.ts'
import type { PolicyJob } from '../../src/policy/jobs.ts'
import { asked, config, POLICY } from '../policy/fixtures.ts'

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const entry = join(DIST, 'workers', 'policy.js')
const opened: PolicyThread[] = []

function thread(more: Partial<PolicyThreadOptions> = {}): PolicyThread {
  const made = new PolicyThread({ entry, msMax: 60_000, waitingMax: 1, idleMs: 60_000, ...more })
  opened.push(made)
  return made
}

afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

function question(job: PolicyJob): Question {
  const policyFiles = [{ path: '/p/guard.yaml', text: POLICY }]
  const settings = { config: config(), policyFiles, policyVersion: 3 }
  return { job, settings, store: undefined, now: 0 }
}

const LIST: PolicyJob = { type: 'list', after: '', limit: 10 }
/** Takes CEL's compiler far longer than a test lasts. */
const ENDLESS: PolicyJob = {
  type: 'explain',
  asked: asked('SELECT 1'),
  schema: '',
  candidate: Array.from({ length: 400 }, (_, file) => ({
    path: `${file}.yaml`,
    text: [
      `apiVersion: sluice/v1\nkind: Policy\nname: p${file}\nrules:`,
      ...Array.from(
        { length: 200 },
        (_, id) =>
          `  - { id: r${id}, when: 'sql.writes && job.id != "${id}" || "DROP" in sql.commands && "x${id}" in sql.tables', then: deny }`,
      ),
    ].join('\n'),
  })),
}

test('questions are answered one after the other by one thread', async () => {
  const one = thread()
  const first = one.ask(question(LIST))
  const second = one.ask(question({ ...LIST, limit: 1 }))
  expect(one.ask(question(LIST))).toBe(BUSY)
  for (const answer of [await first, await second])
    expect(answer).toMatchObject({ type: 'done', body: expect.stringContaining('shop-guard') })
  expect(await one.ask(question(LIST))).toMatchObject({ type: 'done' })
}, 180_000)

test('a question that takes too long is given up, and the next one is answered', async () => {
  const one = thread({ msMax: 3000 })
  const long = one.ask(question(ENDLESS))
  await expect(long).rejects.toMatchObject({
    code: 'GW_UNAVAILABLE',
    say: 'It takes longer than 3 s.',
  })
  const patient = thread()
  expect(await patient.ask(question(LIST))).toMatchObject({ type: 'done' })
}, 180_000)

test('nobody works for a caller who has gone', async () => {
  const one = thread()
  const [long, waiting] = [new AbortController(), new AbortController()]
  const first = one.ask(question(ENDLESS), long.signal)
  const second = one.ask(question(LIST), waiting.signal)
  waiting.abort()
  await expect(second).rejects.toMatchObject({ say: 'Nobody waits for it.' })
  long.abort()
  await expect(first).rejects.toMatchObject({ say: 'Nobody waits for it.' })
  await expect(one.ask(question(LIST), long.signal)).rejects.toThrow()
  expect(await one.ask(question(LIST))).toMatchObject({ type: 'done' })
}, 180_000)

test('a thread that cannot start is said so', async () => {
  const one = thread({ entry: join(DIST, 'workers', 'no-such.js') })
  await expect(one.ask(question(LIST))).rejects.toMatchObject({ code: 'GW_UNAVAILABLE' })
})
