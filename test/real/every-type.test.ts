/** Masked values of every built-in type, in text and binary, as bytes and as pg and psycopg2 read them. */
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../lib/child.ts'
import {
  casesOf,
  MASKS_OF_EVERY_TYPE,
  OWN_TYPES,
  type Shown,
  type TypeCase,
  tableOf,
} from '../lib/every-type.ts'
import { type Stage, startStage } from '../lib/stage.ts'
import { bind, execute, type Message, parse, query, SYNC, WireClient } from '../lib/wire-client.ts'

const CASES = casesOf(15)

/** What a value of each family becomes in text; families that are left out become NULL. */
const EXPECTED: Readonly<Record<string, Partial<Record<Shown, RegExp>>>> = {
  redacted: { text: /^\*{1,4}$/, json: /^"\*\*\*\*"$/, uuid: /^[0-]{36}$/, bytea: /^\\x$/ },
  gone: {},
  fixed: { text: /^n(\/a)?$/, json: /^"n\/a"$/, uuid: /^[0-]{36}$/, bytea: /^\\x6e2f61$/ },
  hashed: {
    text: /^[0-9a-f]{1,16}$/,
    json: /^"[0-9a-f]{16}"$/,
    uuid: /^[0-9a-f-]{36}$/,
    bytea: /^\\x[0-9a-f]{16}$/,
  },
  parted: { text: /^\*+.{0,4}$/, json: /^"\*\*\*\*"$/, uuid: /^[0-]{36}$/, bytea: /^\\x$/ },
  renamed: {
    text: /^(pn_[a-z2-7]+|[a-z2-7]{1,12})$/,
    json: /^"\*\*\*\*"$/,
    uuid: /^[0-9a-f-]{19}[ef][0-9a-f-]{16}$/,
    bytea: /^\\x706e5f[0-9a-f]+$/,
    number: /^-?\d+$|^\d{4}-\d\d-\d\d$/,
  },
}

let stage: Stage
beforeAll(async () => {
  const aliases = Object.keys(EXPECTED)
  // With a random key one hash or pseudonym in some runs holds the digits of a secret by chance.
  const gateway = { policies: MASKS_OF_EVERY_TYPE, recordKey: Buffer.alloc(32, 7) }
  stage = await startStage({ aliases, gateway })
  stage.server.sql(`${OWN_TYPES}${tableOf('every', CASES)}GRANT SELECT ON every TO app`, 'shop')
  // PostgreSQL has no binary form of this one.
  const bare = CASES.filter(({ type }) => !type.startsWith('aclitem'))
  stage.server.sql(`${tableOf('sent', bare)}GRANT SELECT ON sent TO app`, 'shop')
})
afterAll(() => stage?.stop())

function rowsOf(messages: readonly Message[]): (Buffer | null)[][] {
  return messages
    .filter(({ kind }) => kind === 'D')
    .map(({ body }) => {
      const values: (Buffer | null)[] = []
      let at = 2
      for (let left = body.readInt16BE(0); left > 0; left--) {
        const size = body.readInt32BE(at)
        at += 4
        values.push(size < 0 ? null : body.subarray(at, at + size))
        at += Math.max(size, 0)
      }
      return values
    })
}

function columns(cases: readonly TypeCase[]): string {
  return cases.map((_, at) => `c${at}`).join(', ')
}

const SENT = CASES.filter(({ type }) => !type.startsWith('aclitem'))
/** What the values hold that no mask may show, but where 4 characters are kept. */
const SECRETS = ['secret', '4711', '90210', '1977', '192.168', 'dark', '12:34']

test('the list has every type of the server that a column may have', () => {
  const missing = stage.server.sql(
    `SELECT typname FROM pg_type t WHERE oid < 16384 AND typtype IN ('b', 'r', 'm') AND typelem = 0
      AND typinput <> 'pg_node_tree_in'::regproc AND typcategory <> 'Z' AND typname <> 'gtsvector'
      AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'every'::regclass AND atttypid = t.oid)`,
    'shop',
  )
  expect(missing).toBe('')
})

describe.each(Object.entries(EXPECTED))('%s', (mask, expected) => {
  const ask = async (...frames: Buffer[]) => {
    const client = await WireClient.login(stage.url('read', mask))
    const answers = await client.ask(...frames)
    expect(answers.find(({ kind }) => kind === 'E')?.body.toString()).toBeUndefined()
    if (mask !== 'parted') {
      const seen = SECRETS.filter((secret) => client.received.includes(secret))
      expect(seen).toEqual([])
    }
    client.end()
    const rows = rowsOf(answers)
    expect(rows).toHaveLength(3)
    // A NULL stays NULL, and one value is shown alike in every row.
    expect(rows[1]!.every((value) => value === null)).toBe(true)
    expect(rows[2]).toEqual(rows[0])
    return rows[0]!
  }

  test('in text, simple and prepared', async () => {
    const text = `SELECT ${columns(CASES)} FROM every`
    const simple = await ask(query(text))
    for (const [at, { type, shown }] of CASES.entries()) {
      const value = simple[at]?.toString() ?? null
      const wanted = expected[shown]
      expect([type, value]).toEqual([
        type,
        wanted === undefined ? null : expect.stringMatching(wanted),
      ])
    }
    expect(await ask(parse(text), bind(), execute(), SYNC)).toEqual(simple)
  })

  test('in binary, as the same values', async () => {
    const text = `SELECT ${columns(SENT)} FROM sent`
    const [simple, binary] = [
      await ask(query(text)),
      await ask(parse(text), bind({ binary: true }), execute(), SYNC),
    ]
    for (const [at, { type, shown }] of SENT.entries()) {
      expect([type, readable(binary[at]!, SENT[at]!)]).toEqual([
        type,
        simple[at] === null ? null : simple[at]!.toString(),
      ])
      if (expected[shown] === undefined) expect([type, binary[at]]).toEqual([type, null])
    }
  })

  test('pg reads them, text and binary', async () => {
    const client = new pg.Client(stage.url('read', mask))
    await client.connect()
    for (const binary of [false, true]) {
      const text = `SELECT ${columns(SENT)} FROM sent`
      const { rows } = await client.query({ text, binary, rowMode: 'array' } as never)
      expect(rows).toHaveLength(3)
      expect(rows[1]).toEqual(SENT.map(() => null))
      for (const [at, { type, shown }] of SENT.entries()) {
        if (expected[shown] === undefined) expect([type, rows[0][at]]).toEqual([type, null])
        else expect(rows[0][at]).not.toBeNull()
      }
    }
    await client.end()
  })

  test('psycopg2 reads them', async () => {
    const script = join(import.meta.dirname, 'every_type.py')
    const url = stage.url('read', mask)
    const { stdout, stderr } = await run('/usr/bin/python3', [script, url], { timeoutMs: 60_000 })
    expect(stderr).toBe('')
    const values = JSON.parse(stdout) as (string | null)[]
    expect(values).toHaveLength(CASES.length)
    for (const [at, { type, shown }] of CASES.entries()) {
      expect([type, values[at] === null]).toEqual([type, expected[shown] === undefined])
    }
  })
})

/** A binary value as its type's text. */
function readable(value: Buffer | null, { type, shown }: TypeCase): string | null {
  if (value === null) return null
  if (shown === 'uuid') {
    return value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }
  if (shown === 'bytea') return `\\x${value.toString('hex')}`
  if (type === 'jsonb') return value.toString('utf8', 1)
  if (shown !== 'number') return value.toString()
  if (type === 'date') {
    const time = value.readInt32BE() * 86_400_000 + Date.UTC(2000, 0, 1)
    return new Date(time).toISOString().substring(0, 10)
  }
  if (value.length === 8) return value.readBigInt64BE().toString()
  return String(value.length === 2 ? value.readInt16BE() : value.readInt32BE())
}
