import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteSink } from '../../../src/base/bytes.ts'
import type { RowPlan } from '../../../src/mask/plan.ts'
import { CopyMasker, type CopyPlan } from '../../../src/protocols/postgres/mask-copy.ts'
import type { CopyForm } from '../../../src/protocols/postgres/sql/analysis.ts'
import { column, context, detected } from '../../lib/mask-frames.ts'

const CARD = '4111111111111111'
const TEXT: CopyForm = {
  direction: 'out',
  format: 'text',
  delimiter: '\t',
  quote: '"',
  escape: '"',
  nullText: '\\N',
  header: false,
  utf8: true,
  table: false,
  columns: undefined,
}
const CSV: CopyForm = { ...TEXT, format: 'csv', delimiter: ',', nullText: '' }
const THREE: RowPlan = [undefined, column('text'), detected('text')]

interface Job extends Partial<CopyPlan> {
  readonly form?: CopyForm
}

/** Bodies of the frames that come out, or why none did. */
function copied(chunks: readonly (string | Buffer)[], job: Job = {}): string[] | string {
  const { form = TEXT, fields = THREE, every, rowBytesMax = 1000 } = job
  const masker = new CopyMasker(form, { fields, every, rowBytesMax }, context())
  const sink = new ByteSink(8)
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk)
    const result = masker.push(bytes, sink)
    bytes.fill(0x7a) // The caller reuses its memory.
    if (result !== 'ok') return result
  }
  const result = masker.end(sink)
  return result === 'ok' ? bodies(Buffer.from(sink.view())) : result
}

function bodies(bytes: Buffer): string[] {
  const out: string[] = []
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x64)
    const end = at + 1 + bytes.readInt32BE(at + 1)
    out.push(bytes.toString('latin1', at + 5, end))
    at = end
  }
  return out
}

test('rows of text are masked by column and by detector, NULL stays NULL', () => {
  expect(copied([`1\tsecret\tx ${CARD}\n2\t\\N\tplain\\tn\n`])).toEqual([
    '1\t****\tx ****\n',
    '2\t\\N\tplain\\tn\n',
  ])
})

test('escapes are undone before detectors look, and done again after', () => {
  const escaped = `1\ts\ta\\\\b\\n${CARD}\\tz\n`
  expect(copied([escaped])).toEqual(['1\t****\ta\\\\b\\n****\\tz\n'])
})

test('csv values are read inside their quotes, over line ends too, and written in quotes', () => {
  const csv = `h1,"h\n2",${CARD}\n1,"a ""b""\n,c","x ""${CARD}"" y"\n2,,plain\n3,"",""\n`
  expect(copied([csv], { form: { ...CSV, header: true } })).toEqual([
    `h1,"h\n2",${CARD}\n`,
    '1,"****","x ""****"" y"\n',
    '2,,plain\n',
    '3,"****",""\n',
  ])
})

test('another escape than the quote is understood', () => {
  const form = { ...CSV, quote: "'", escape: '\\' }
  expect(copied([`1,'a\\'\\\\',' \\'${CARD}'\n`], { form })).toEqual(["1,'****',' \\'****'\n"])
})

test('a mask that gives NULL writes the text for NULL', () => {
  const fields = [column('scalar'), undefined, undefined]
  expect(copied(['17\ta\tb\n'], { fields })).toEqual(['\\N\ta\tb\n'])
  expect(copied(['17,a,b\n'], { form: CSV, fields })).toEqual([',a,b\n'])
})

test('where the columns are not known one plan holds for all of them', () => {
  const job = { fields: undefined, every: column('text') }
  const masker = new CopyMasker(TEXT, { ...job, rowBytesMax: 99 }, context())
  const sink = new ByteSink()
  expect(masker.push(Buffer.from('a\tb\n\\N\n'), sink)).toBe('ok')
  expect(bodies(Buffer.from(sink.view()))).toEqual(['****\t****\n', '\\N\n'])
})

test('a row with too few or too many fields, binary data and strange signs are malformed', () => {
  expect(copied(['1\t2\n'])).toBe('malformed')
  expect(copied(['1\t2\t3\t4\n'])).toBe('malformed')
  expect(copied(['1,"a"b,c\n'], { form: CSV })).toBe('malformed')
  expect(copied(['1,"a'], { form: CSV })).toBe('malformed')
  expect(copied(['x'], { form: { ...TEXT, format: 'binary' } })).toBe('malformed')
  expect(copied(['x'], { form: { ...TEXT, delimiter: '||' } })).toBe('malformed')
})

test('a text for NULL that ends in a backslash would take the delimiter along: malformed', () => {
  expect(copied(['\\\t\\\t\\\n'], { form: { ...TEXT, nullText: '\\' } })).toBe('malformed')
})

test('in csv the signs of an end mark are values like any others', () => {
  const form = { ...CSV, delimiter: '.' }
  const fields: RowPlan = [column('text'), undefined]
  expect(copied(['\\.\n'], { form, fields })).toEqual(['"****".\n'])
})

test('a row that is too long ends it, whole or in parts, and so does an unclosed quote', () => {
  const row = `1\t2\t${'x'.repeat(100)}\n`
  expect(copied([row], { rowBytesMax: 50 })).toBe('over_limit')
  expect(copied([...row], { rowBytesMax: 50 })).toBe('over_limit')
  expect(copied([row], { rowBytesMax: row.length })).toEqual([row.replace('2', '****')])
  expect(copied([`1,"${'x\n'.repeat(99)}`], { form: CSV, rowBytesMax: 50 })).toBe('over_limit')
})

test('a last row without a line end gets none, and the end mark passes', () => {
  expect(copied(['1\tb\tc'])).toEqual(['1\t****\tc'])
  expect(copied(['1\tb\tc\n\\.\n'])).toEqual(['1\t****\tc\n', '\\.\n'])
})

test('wherever the data is cut, what comes out is the same', () => {
  const piece = fc.constantFrom(
    'a',
    '"',
    '\\',
    ',',
    '\t',
    '\n',
    '\\N',
    CARD,
    '\\n',
    '""',
    '1,2,3\n',
    '1\t2\t3\n',
  )
  const data = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
  const cuts = fc.array(fc.nat(200), { maxLength: 6 })
  fc.assert(
    fc.property(fc.constantFrom(TEXT, CSV), data, cuts, (form, text, where) => {
      const bytes = Buffer.from(text)
      const at = [0, ...where.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)]
      const chunks = at.map((start, index) => bytes.subarray(start, at[index + 1] ?? bytes.length))
      expect(copied(chunks, { form })).toEqual(copied([bytes], { form }))
    }),
    { numRuns: 500 },
  )
})

test('no masked value remains, and the other columns are identical', () => {
  const cell = fc.stringMatching(/^[a-zA-Z0-9 ]{4,12}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1 }), (rows) => {
      const out = copied(
        rows.map(([one, two]) => `${one}\t${two}\n`),
        { fields: [undefined, column('text')] },
      )
      expect(out).toEqual(rows.map(([one]) => `${one}\t****\n`))
    }),
  )
})
