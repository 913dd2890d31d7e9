import { afterEach, expect, test } from 'vitest'
import { ParseThread } from '../../src/protocols/postgres/parse-pool.ts'
import { loadParser, parse } from '../../src/protocols/postgres/sql/parse.ts'

let thread: ParseThread | undefined

function begin(waitMsMax?: number): ParseThread {
  thread = new ParseThread({
    ...(waitMsMax === undefined ? {} : { waitMsMax }),
  })
  return thread
}

afterEach(() => thread?.close())

function insert(rows: number): string {
  const row = (_: unknown, at: number) => `(${at}, 'name ''${at}', NULL, ${at}.5)`
  return `INSERT INTO t VALUES ${Array.from({ length: rows }, row).join(', ')}`
}

test('a long text has the same tree as if it were parsed here', async () => {
  await loadParser()
  const text = `${insert(2000)}; SELECT 'ü' AS "Ü"`
  expect(await begin().parse(text)).toEqual(parse(text))
})

test('a text that does not parse is opaque with the reason and position of the parser', async () => {
  await loadParser()
  const text = `${insert(2000)} SELEC 1`
  expect(await begin().parse(text)).toEqual(parse(text))
})

test('many at once are each answered with their own tree', async () => {
  const here = begin()
  const texts = Array.from({ length: 20 }, (_, at) => `SELECT ${at}`)
  const trees = await Promise.all(texts.map((text) => here.parse(text)))
  for (const [at, tree] of trees.entries())
    expect(JSON.stringify(tree)).toContain(`"ival":${at === 0 ? '{}' : `{"ival":${at}}`}`)
})

test('a text that takes too long is rejected, and the next one is parsed again', async () => {
  const here = begin(5)
  await expect(here.parse(insert(30_000))).rejects.toThrow('The text takes the parser too long.')
  const patient = begin()
  expect(await patient.parse('SELECT 1')).toHaveProperty('statements')
})

test('nesting that breaks the parser is opaque and does no harm to those who wait', async () => {
  const here = begin()
  const deep = `SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)}`
  const [broken, fine] = await Promise.all([here.parse(deep), here.parse('SELECT 1')])
  expect(broken).toHaveProperty('reason')
  expect(fine).toBeDefined()
  expect(await here.parse('SELECT 2')).toHaveProperty('statements')
})

test('after the end what waits is rejected', async () => {
  const here = begin()
  const waiting = here.parse(insert(5000))
  here.close()
  await expect(waiting).rejects.toThrow('The parser was stopped.')
})
