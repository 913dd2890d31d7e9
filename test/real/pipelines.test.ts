/** What names mean behind what a client sends in one go: transactions in a pipeline, statements run by name. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../lib/stage.ts'
import { bind, describe, execute, parse, query, SYNC, WireClient } from '../lib/wire-client.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
  stage.server.sql(
    `SET SESSION AUTHORIZATION app; CREATE SCHEMA archive;
    CREATE TABLE archive.customers (id int, email text)`,
    'shop',
  )
})
afterAll(() => stage?.stop())

const simple = (text: string): readonly Uint8Array[] => [query(text)]
const extended = (text: string): readonly Uint8Array[] => [
  parse(text),
  bind(),
  describe('P'),
  execute(),
  SYNC,
]

test.each([
  ['simple', simple],
  ['extended', extended],
])(
  'a path that was local to such a transaction is gone with it, sent by %s queries',
  async (_, asked) => {
    const client = await WireClient.login(stage.url('write', 'masked'))
    const ask = async (...texts: readonly string[]) => {
      const from = client.messages.length
      const ends = () => client.messages.slice(from).filter(({ kind }) => kind === 'Z').length
      client.send(...texts.flatMap(asked))
      while (ends() < texts.length) await client.until('Z')
      return client.messages.slice(from)
    }
    const email = async () => {
      const seen = await ask('SELECT lower(email) FROM customers WHERE id = 7')
      return seen.filter(({ kind }) => 'DE'.includes(kind)).map(({ body }) => body.toString())
    }
    expect(await email()).toEqual([expect.stringMatching(/\*\*\*\*$/)])
    await ask('SELECT pg_sleep(0.3)', 'BEGIN', 'SET LOCAL search_path = archive')
    expect(await email()).toEqual([])
    await ask('COMMIT')
    expect(await email()).toEqual([expect.stringMatching(/\*\*\*\*$/)])
    client.end()
  },
)

const MOVES = "SELECT set_config('search_path', 'public', false) FROM generate_series(1, 9)"
test.each([
  ['EXECUTE', `PREPARE moves AS ${MOVES}`, 'EXECUTE moves'],
  ['FETCH', `DECLARE moves CURSOR FOR ${MOVES}`, 'FETCH moves'],
])(
  'a path that %s changes is not that of what stands behind it in the same message',
  async (_, made, run) => {
    const client = await WireClient.login(stage.url('read', 'masked'))
    for (const text of ['BEGIN', made, 'SET search_path = archive']) await client.ask(query(text))
    const alone = await client.ask(query(`${run}; SHOW search_path`))
    expect(
      alone
        .filter(({ kind }) => kind === 'D')
        .at(-1)
        ?.body.toString(),
    ).toMatch(/public$/)
    await client.ask(query('SET search_path = archive'))
    const seen = await client.ask(query(`${run}; SELECT lower(email) FROM customers WHERE id = 7`))
    expect(seen.map(({ kind }) => kind).join('')).toBe('EZ')
    expect(client.error()?.M).toContain('may change what names mean')
    client.end()
  },
)

test('a statement that moves names, used again behind itself, can be used later', async () => {
  const client = await WireClient.login(stage.url('read', 'masked'))
  const use = [bind({ statement: 'p' }), execute()]
  const first = await client.ask(parse('SET search_path = archive', 'p'), ...use, ...use, SYNC)
  expect(first.map(({ kind }) => kind).join('')).toBe('12C2CZ')
  const later = await client.ask(...use, SYNC)
  expect(later.map(({ kind }) => kind).join('')).toBe('2CZ')
  client.end()
})
