/** The state database in its thread of the compiled gateway. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { StateThread, type StateThreadOptions } from '../../src/control/state/state-thread.ts'

const DIST = process.env.SLUICE_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const entry = join(DIST, 'workers', 'state.js')
/** A thread that works on this is as deaf as one whose disk takes nothing. */
const ENDLESS =
  'select count(*) from generate_series(1, 30000) a, generate_series(1, 30000) b, generate_series(1, 30000) c'

const folder = mkdtempSync(join(tmpdir(), 'sluice-state-thread-'))
const opened: StateThread[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
  rmSync(folder, { recursive: true, force: true })
})

async function open(
  name: string,
  more: Partial<StateThreadOptions> = {},
): Promise<{ state: StateThread; said: (string | undefined)[] }> {
  const said: (string | undefined)[] = []
  mkdirSync(folder, { recursive: true })
  const onChange = (problem: string | undefined) => said.push(problem)
  const state = await StateThread.open({ folder: join(folder, name), entry, onChange, ...more })
  opened.push(state)
  return { state, said }
}

test('values go in and rows come out as they are, and stay', async () => {
  const { state } = await open('state')
  const at = new Date(1_700_000_000_123)
  const text = 'select $1::bytea as bytes, $2::timestamptz as at, $3::text[] as list, null as none'
  expect(await state.query(text, [new Uint8Array([1, 2]), at, ['a', 'b,"c']])).toEqual([
    { bytes: new Uint8Array([1, 2]), at, list: ['a', 'b,"c'], none: null },
  ])
  const kept =
    'insert into questions (name, asks, sql, saved_by, saved_at) values ($1, $1, $1, $1, $2)'
  await state.query(kept, ['kept', at])
  await expect(state.query(kept, ['kept', at])).rejects.toMatchObject({ code: 'GW_UNAVAILABLE' })
  await state.close()
  await expect(state.query('select 1', [])).rejects.toMatchObject({ code: 'GW_UNAVAILABLE' })
  const again = await open('state')
  expect(await again.state.query('select name from questions', [])).toEqual([{ name: 'kept' }])
})

test('a first start runs no migration: the template has them all, and no rows', async () => {
  const began = Date.now()
  const { state } = await open('state')
  const ran = 'select count(*) as all, count(*) filter (where ran_at >= $1) as now from migrations'
  const [{ all, now } = {}] = await state.query(ran, [new Date(began)])
  expect(Number(all)).toBeGreaterThan(3)
  expect(Number(now)).toBe(0)
  const rows = 'select (select count(*) from tokens) + (select count(*) from questions) as n'
  expect(await state.query(rows, [])).toEqual([{ n: 0 }])
})

test('one that does not answer holds up nobody, is given up, and comes again', async () => {
  const { state, said } = await open('state', { secondsMax: 2 })
  const [stuck, behind] = [state.query(ENDLESS, []), state.query('select 1', [])]
  const answers = Promise.allSettled([stuck, behind])
  const waited = performance.now()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(performance.now() - waited).toBeLessThan(1500)
  for (const answer of await answers)
    expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'GW_UNAVAILABLE' } })
  expect(state.problem).toBe('The state database is away: it does not answer.')
  await expect(state.query('select 1', [])).rejects.toThrow('it does not answer')
  while (state.problem !== undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await state.query('select 7 as n', [])).toEqual([{ n: 7 }])
  expect(said).toEqual(['The state database is away: it does not answer.', undefined])
})

/** A busy disk takes its time to keep a thousand files. */
const OPEN_MS = 40_000
const KEEP =
  "insert into questions (name, asks, sql, saved_by, saved_at) values ($1, '', '', '', now())"
const NAMES = 'select name from questions order by name'
const isThere = (state: StateThread) =>
  expect.poll(() => state.problem, { timeout: OPEN_MS }).toBe(undefined)

test('what was answered is there when a thread that was given up comes again', async () => {
  const { state, said } = await open('state', { secondsMax: 3 })
  // Cannot be handed to the thread, which is not asked and owes no answer.
  await expect(state.query('select $1', [() => 1])).rejects.toThrow('clone')
  await new Promise((resolve) => setTimeout(resolve, 4500))
  expect(said).toEqual([])
  for (const name of ['a', 'b', 'c']) await state.query(KEEP, [name])
  const lost = [state.query(ENDLESS, []), state.query(KEEP, ['d'])]
  for (const one of await Promise.allSettled(lost)) expect(one.status).toBe('rejected')
  await isThere(state)
  expect(await state.query(NAMES, [])).toEqual(['a', 'b', 'c'].map((name) => ({ name })))
}, 90_000)

test('a log that does not reach the disk answers nothing more, until it is opened and kept anew', async () => {
  const { state, said } = await open('state')
  await state.query(KEEP, ['a'])
  // Stands for a disk that fails: it cannot be opened, and does not vanish.
  const loop = join(folder, 'state', 'pg_wal', 'loop')
  symlinkSync('loop', loop)
  await expect(state.query(KEEP, ['b'])).rejects.toMatchObject({ code: 'GW_UNAVAILABLE' })
  rmSync(loop)
  // What comes behind it in the log is lost with it.
  await expect(state.query(KEEP, ['c'])).rejects.toMatchObject({ code: 'GW_UNAVAILABLE' })
  await expect.poll(() => said.length, { timeout: OPEN_MS }).toBe(2)
  expect(said[1]).toBe(undefined)
  await state.query(KEEP, ['d'])
  expect(await state.query(NAMES, [])).toEqual(
    expect.arrayContaining([{ name: 'a' }, { name: 'd' }]),
  )
}, 90_000)

const RECURSION = 'begin return endless($1 + 1); end'
const TRAPS = {
  // Runs over the memory, or over the stack.
  'a trap': `create function endless(int) returns int language plpgsql as '${RECURSION}'`,
  // As on a disk that fails: PANIC.
  'an abort': 'select 1',
}

test.each(Object.entries(TRAPS))(
  '%s inside WebAssembly is never an answer, and it comes again as the disk has it',
  async (what, prepare) => {
    const { state, said } = await open('state')
    await state.query(KEEP, ['a'])
    await state.query(prepare, [])
    const log = join(folder, 'state', 'pg_wal')
    const isPanic = what === 'an abort'
    if (isPanic) renameSync(log, `${log}.away`)
    const switched = isPanic ? state.query('select pg_switch_wal()', []).catch(() => {}) : undefined
    const failing = isPanic ? state.query(KEEP, ['never']) : state.query('select endless(1)', [])
    // Asked before it has failed: not run on what is left of it.
    const behind = [state.query(KEEP, ['behind']), state.query(NAMES, [])]
    for (const one of await Promise.allSettled([failing, ...behind]))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'GW_UNAVAILABLE' } })
    await switched
    if (isPanic) renameSync(`${log}.away`, log)
    await expect
      .poll(() => said.at(-1) === undefined && said.length > 1, { timeout: OPEN_MS })
      .toBe(true)
    await isThere(state)
    expect(await state.query(NAMES, [])).toEqual([{ name: 'a' }])
    await state.query(KEEP, ['b'])
    expect(await state.query(NAMES, [])).toEqual([{ name: 'a' }, { name: 'b' }])
  },
  90_000,
)

test('one that does not open says why, and leaves nothing behind', async () => {
  mkdirSync(join(folder, 'state'), { recursive: true })
  writeFileSync(join(folder, 'state', 'PG_VERSION'), 'nonsense')
  await expect(open('state')).rejects.toMatchObject({
    code: 'GW_UNAVAILABLE',
    message: expect.stringContaining('does not open'),
  })
})
