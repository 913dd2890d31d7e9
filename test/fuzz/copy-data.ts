/**
 * IO (a PostgreSQL in WebAssembly). Fuzz of COPY … TO STDOUT under masks: rows as PostgreSQL itself writes them, with any
 * options, cut anywhere, masked, and read by PostgreSQL again; and bytes that no server would send.
 */
import { PGlite } from '@electric-sql/pglite'
import fc from 'fast-check'
import { expect } from 'vitest'
import { ByteSink } from '../../src/base/bytes.ts'
import type { RowPlan } from '../../src/mask/plan.ts'
import { CopyMasker } from '../../src/protocols/postgres/mask-copy.ts'
import { analyse } from '../../src/protocols/postgres/sql/analyse.ts'
import type { CopyForm } from '../../src/protocols/postgres/sql/analysis.ts'
import { framesOf } from '../contract/frames.ts'
import { column, context, detected } from '../lib/mask-frames.ts'
import { CLEAR } from '../protocols/postgres/sql/cached-sample.ts'
import { type FuzzProperty, property } from './driver.ts'
import { cuts, edit, edited, hostileText, pieces } from './mutate.ts'

const CARD = '4111111111111111'
const SECRET = 'S3CRET'
const ROW_BYTES_MAX = 20_000

/** Spellings of what COPY may be told; PostgreSQL says which of them it takes together. */
const sign = fc.constantFrom(
  ',',
  ';',
  '|',
  '\t',
  '\x01',
  "''",
  '"',
  '\\',
  ':',
  '*',
  ' ',
  '\x7f',
  '^',
)
const nulls = fc.constantFrom('', '\\N', 'NULL', 'n', '""', '\\', ' ', '****', '\\.', '4111', 'ä')
const options = fc.oneof(
  fc
    .record({
      format: fc.constantFrom('text', 'csv', 'CSV', '"csv"', "'csv'", undefined),
      header: fc.constantFrom('', 'true', 'on', '1', 'false', "'OFF'", '0', undefined),
      delimiter: fc.option(sign, { nil: undefined }),
      null: fc.option(nulls, { nil: undefined }),
      quote: fc.option(sign, { nil: undefined }),
      escape: fc.option(sign, { nil: undefined }),
      force: fc.constantFrom('*', '(name)', '(id, email)', undefined),
    })
    .map((said) => {
      const list: string[] = []
      if (said.format !== undefined) list.push(`FORMAT ${said.format}`)
      if (said.header !== undefined) list.push(`HEADER ${said.header}`)
      for (const name of ['delimiter', 'null', 'quote', 'escape'] as const)
        if (said[name] !== undefined) list.push(`${name.toUpperCase()} '${said[name]}'`)
      if (said.force !== undefined) list.push(`force_quote ${said.force}`)
      return list.length === 0 ? '' : `(${list.join(', ')})`
    }),
  fc.constantFrom('CSV', 'WITH CSV HEADER', "CSV QUOTE '|' ESCAPE '!'", "DELIMITERS ';'", ''),
  fc.constantFrom("WITH DELIMITER E'\\t' NULL AS E'\\\\N'", "CSV NULL 'x' FORCE QUOTE name"),
)

const value = fc.option(
  fc.oneof(
    fc.constantFrom(
      '',
      '\\N',
      '\\.',
      '"',
      '""',
      '\\',
      '\\\\',
      ',',
      'NULL',
      'n',
      '\r',
      '\n',
      '\r\n',
    ),
    fc.constantFrom(
      CARD,
      `"${CARD}"`,
      `\\${CARD}\n`,
      'ada@example.com',
      "it's",
      '\t',
      '\v',
      '\x01',
    ),
    hostileText.map((bytes) => bytes.toString().replaceAll(/[\0\p{Cs}]/gu, '')),
  ),
  { freq: 6 },
)
const secret = fc
  .tuple(value, value)
  .map(([before, after]) => `${before ?? ''}${SECRET}${after ?? ''}`)
const rows = fc.array(fc.tuple(value, fc.option(secret, { freq: 6 }), value), { maxLength: 6 })

const MASKED: RowPlan = [undefined, column('text'), detected('text')]

let database: Promise<PGlite> | undefined

/** Takes seconds the first time. */
export function postgres(): Promise<PGlite> {
  database ??= PGlite.create().then(async (made) => {
    await made.exec('CREATE TABLE rows (id text, name text, email text)')
    await made.exec('CREATE TABLE back (at serial, id text, name text, email text)')
    return made
  })
  return database
}

function formOf(text: string): CopyForm | undefined {
  const { statements } = analyse(text, CLEAR)
  return statements[0]?.effect.copy
}

/** The bodies that come out, one behind the other; or why not. */
function masked(form: CopyForm, chunks: readonly Buffer[], fields: RowPlan): Buffer | string {
  const plan = { fields, every: undefined, rowBytesMax: ROW_BYTES_MAX }
  const masker = new CopyMasker(form, plan, context())
  const sink = new ByteSink(8)
  for (const chunk of chunks) {
    const result = masker.push(chunk, sink)
    chunk.fill(0x31)
    if (result !== 'ok') return result
  }
  const result = masker.end(sink)
  if (result !== 'ok') return result
  const { frames, rest } = framesOf(Buffer.from(sink.view()))
  expect(rest.length).toBe(0)
  return Buffer.concat(frames.map((frame) => frame.subarray(5)))
}

const NOISE_FORMS = ['', '(FORMAT csv)', "(FORMAT csv, QUOTE '''', ESCAPE E'\\\\')", 'CSV HEADER']

export const COPY_DATA: readonly FuzzProperty[] = [
  property(
    'copy data: what PostgreSQL wrote it reads again, but for what is hidden',
    fc.tuple(options, rows, cuts),
    {
      runs: 40,
      found: [
        ["(FORMAT text, HEADER , NULL '')", [['', null, null]], [1048576]],
        ["(FORMAT text, HEADER , NULL '\\.')", [[null, null, null]], [1048576]],
      ],
      holds: async ([said, list, sizes]) => {
        const target = await postgres()
        const form = formOf(`COPY customers TO STDOUT ${said}`)
        if (form === undefined) throw new Error(said)
        await target.exec('TRUNCATE rows; TRUNCATE back RESTART IDENTITY')
        for (const row of list) await target.query('INSERT INTO rows VALUES ($1, $2, $3)', row)
        let written: Buffer
        try {
          const { blob } = await target.query(`COPY rows TO '/dev/blob' ${said}`)
          written = Buffer.from((await blob?.arrayBuffer()) ?? new ArrayBuffer(0))
        } catch {
          return // Options that do not go together.
        }
        const out = masked(form, pieces(written, sizes), MASKED)
        if (form.format === 'text' && form.nullText.endsWith('\\')) {
          // Such a text for NULL takes the delimiter behind it along.
          if (list.length > 0) expect(out).toBe('malformed')
          return
        }
        if (typeof out === 'string') throw new Error(`${said} gives ${out}`)
        expect(out.includes(SECRET)).toBe(false)
        // Such a text for NULL is the end of the data to PostgreSQL itself when it reads what it wrote.
        if (form.format === 'text' && form.nullText === '\\.') return
        const into = said.replace(/,? ?(force_quote|FORCE QUOTE) (\*|\([^)]*\)|name)/, '')
        const blob = new Blob([new Uint8Array(out)])
        await target.query(`COPY back (id, name, email) FROM '/dev/blob' ${into}`, [], { blob })
        const { rows: read } = await target.query<Record<'id' | 'name' | 'email', string | null>>(
          `SELECT ${['id', 'name', 'email'].map((one) => `convert_to(${one}, 'UTF8')::text ${one}`)}
             FROM back ORDER BY at`,
        )
        const text = (hex: string | null) => hex && Buffer.from(hex.substring(2), 'hex').toString()
        expect(read.map((row) => [text(row.id), text(row.name), text(row.email)])).toEqual(
          list.map(([id, name, email]) =>
            [id, name === null ? null : '****', hidden(email)].map((one) => readBack(form, one)),
          ),
        )
      },
    },
  ),
  property(
    'copy data: what no server writes is masked or ends it, the same wherever it is cut',
    fc.tuple(
      fc.constantFrom(...NOISE_FORMS),
      fc.array(fc.oneof(hostileText, fc.constantFrom(SECRET, '\n', '\t', ',', '"', '\\', '\\.')), {
        maxLength: 24,
      }),
      fc.array(edit, { maxLength: 2 }),
      fc.tuple(cuts, cuts),
    ),
    {
      runs: 300,
      holds: ([said, parts, edits, [one, other]]) => {
        const form = formOf(`COPY customers TO STDOUT ${said}`)!
        const bytes = edits.reduce<Buffer>(
          edited,
          Buffer.concat(parts.map((part) => Buffer.from(part))),
        )
        const all: RowPlan = [column('text'), column('text'), column('text')]
        const results = [one, other].map((sizes) => masked(form, pieces(bytes, sizes), all))
        expect(results[0]).toEqual(results[1])
        const [out] = results
        // Every column is masked, so that nothing of a row is left but what parts its fields.
        if (typeof out === 'string') return
        const text = out!.toString('latin1')
        const shown = form.header ? text.substring(firstRow(form, text)) : text
        expect(shown.replaceAll(/\\N|\\\.|"\*{4}"|'\*{4}'|\*{4}|[\t,\n]/g, '')).toBe('')
      },
    },
  ),
]

/** In text form a value that is written like the text for NULL is one to whoever reads it; csv puts it into quotes. */
function readBack(form: CopyForm, value: string | null): string | null {
  const looksNull = value === form.nullText && !form.nullText.includes('\\')
  return form.format === 'text' && looksNull ? null : value
}

function hidden(email: string | null): string | null {
  if (email === null) return null
  return email.replace(CARD, '****').replace('ada@example.com', '****')
}

/** Behind the header line, which may hold line feeds in quotes. */
function firstRow(form: CopyForm, text: string): number {
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (form.format === 'csv' && text[at] === form.quote) quoted = !quoted
    if (text[at] === '\n' && !quoted) return at + 1
  }
  return text.length
}
