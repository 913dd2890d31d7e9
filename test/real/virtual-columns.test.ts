import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Stage, startStage } from '../lib/stage.ts'
import { fieldsOf, query, WireClient } from '../lib/wire-client.ts'

/** Columns that PostgreSQL 18 computes whenever they are read: by what may fail, and by what cannot. */
const TABLE = `
CREATE TABLE mails (id int PRIMARY KEY, email text,
  loud text GENERATED ALWAYS AS (upper(email)) VIRTUAL,
  share int GENERATED ALWAYS AS (1 / (ascii(email) - 97)) VIRTUAL);
CREATE VIEW shares AS SELECT id, share FROM mails;
CREATE VIEW fenced WITH (security_barrier) AS SELECT id, 1 / (ascii(email) - 97) AS share FROM mails;
CREATE TABLE others (id int);
INSERT INTO mails VALUES (1, 'a-planted'), (2, 'b-planted');
`
const POLICY = `
apiVersion: sluice/v1
kind: Policy
name: virtual
applies: { connections: [virtual] }
masks:
  - { columns: [public.mails.email], with: redact }
`

let stage: Stage

beforeAll(async () => {
  stage = await startStage({
    postgres: { version: '18' },
    gateway: { policies: { 'virtual.yaml': POLICY } },
    aliases: ['virtual'],
  })
  stage.server.sql(`SET SESSION AUTHORIZATION app; ${TABLE}`, 'shop')
})
afterAll(() => stage?.stop())

async function ask(client: WireClient, text: string) {
  const answers = await client.ask(query(text))
  const error = answers.find(({ kind }) => kind === 'E')
  expect(Buffer.concat(answers.map(({ body }) => body)).toString('latin1')).not.toContain('planted')
  return {
    error: error === undefined ? undefined : fieldsOf(error).C,
    hint: error === undefined ? undefined : fieldsOf(error).H,
    rows: answers.filter(({ kind }) => kind === 'D').map(({ body }) => body.toString('latin1')),
  }
}

test('by what may fail, reading one would tell the value: it is refused, and others are masked', async () => {
  const client = await WireClient.login(stage.url('write', 'virtual'))
  for (const id of [1, 2]) {
    for (const text of [
      `SELECT share FROM mails WHERE id = ${id}`,
      `SELECT count(share) FROM mails WHERE id = ${id}`,
      `SELECT mails FROM mails WHERE id = ${id}`,
      `SELECT share FROM shares WHERE id = ${id}`,
      `UPDATE mails SET id = id WHERE id = ${id} RETURNING old.share`,
      // Computed, though nobody reads it.
      `WITH u AS MATERIALIZED (SELECT * FROM mails WHERE id = ${id}) SELECT id FROM u`,
      `WITH u AS MATERIALIZED (SELECT * FROM shares WHERE id = ${id}) SELECT id FROM u`,
      `WITH u AS (UPDATE mails SET id = id WHERE id = ${id} RETURNING *) SELECT id FROM u`,
      `SELECT EXISTS (SELECT * FROM mails WHERE id = ${id} OFFSET 0)`,
      `SELECT id FROM fenced WHERE id = ${id} FOR SHARE`,
      `DELETE FROM others USING fenced f WHERE f.id = ${id}`,
    ])
      expect((await ask(client, text)).error, text).toBe('42501')
    const { hint } = await ask(client, `SELECT * FROM mails WHERE id = ${id}`)
    expect(hint).toContain('Select the columns that it is computed from')
    const { error, rows } = await ask(client, `SELECT email, loud FROM mails WHERE id = ${id}`)
    expect(error).toBeUndefined()
    expect(rows[0]).toMatch(/\*{4}.*\*{4}/s)
  }
  client.end()
})

test('one that is made later is known when the catalogue is looked at, with what it is computed by', async () => {
  const maker = await WireClient.login(stage.url('schema'))
  const column = 'GENERATED ALWAYS AS'
  for (const made of ['low text ^ (lower(email))', 'part int ^ (2 / (ascii(email) - 98))']) {
    const text = `ALTER TABLE mails ADD ${made.replace('^', column)} VIRTUAL`
    expect((await ask(maker, text)).error, text).toBeUndefined()
  }
  maker.end()
  const client = await WireClient.login(stage.url('write', 'virtual'))
  const said = async () => (await ask(client, 'SELECT low FROM mails')).error
  await expect.poll(said, { timeout: 20_000 }).toBeUndefined()
  expect((await ask(client, 'SELECT part FROM mails WHERE id = 2')).error).toBe('42501')
  client.end()
})
