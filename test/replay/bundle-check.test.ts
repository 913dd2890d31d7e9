import { expect, test } from 'vitest'
import { Bundle } from '../../src/replay/bundle.ts'
import { BundleCheck } from '../../src/replay/bundle-check.ts'

const COLUMNS = [
  ...['session_id', 'protocol', 'kind', 'status', 'text', 'statement'].map((one) => [
    one,
    'String',
  ]),
  ...[
    ['seq', 'UInt64'],
    ['ts', "DateTime64(6, 'UTC')"],
  ],
]
const BEGIN = {
  ...{ sluice: 'evidence', version: 1, made: 5, columns: COLUMNS },
  scope: { type: 'session', session: '01S' },
}

function row(session: string, seq: number, statement: string): Buffer {
  const texts = [session, 'postgres', 'action', '', '', statement].map((text) =>
    Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]),
  )
  const numbers = Buffer.alloc(16)
  numbers.writeBigUInt64LE(BigInt(seq), 0)
  return Buffer.concat([...texts, numbers])
}

/** A leaf for events 1 to 2 of a session, and rows beside it. */
function leaves(session: string, ...rows: Buffer[]) {
  const text = JSON.stringify([
    ...['sluice-leaf-1', 'g.1', 0, 5, 's', session, 1, 2],
    ...['e', 'c', 'h', 'live', ''],
  ])
  return { leaves: [{ text }], rows: Buffer.concat(rows).toString('base64') }
}

function file(...lines: object[]): string {
  const bundle = new Bundle('the verifier')
  return bundle.begin() + lines.map((one) => bundle.line({ ...one })).join('') + bundle.end()
}

function fault(text: string): string | undefined {
  const check = new BundleCheck()
  for (const line of text.replace(/\n$/, '').split('\n'))
    if (check.isEvidence(line)) check.line(line, JSON.parse(line))
  expect(check.offered).toBe('the verifier')
  return check.fault()
}

test('a page that is made of its lines is in order, and a changed one is not', () => {
  const text = file(BEGIN, leaves('01S', row('01S', 1, 'SELECT 1')), { end: true })
  expect(text).toContain('SELECT 1')
  expect(fault(text)).toBeUndefined()
  expect(fault(text.replace('SELECT 1', 'SELECT 2'))).toContain('was changed')
  expect(fault(text.replace('<body>', '<body><h1>'))).toContain('was changed')
})

test('a line that a browser would take for the end of the evidence is found', () => {
  const text = file(BEGIN, { end: true })
  const page = '</script><style>h1,h2,div{display:none}</style><p>Nothing happened.'
  const changed = text.replace('"made":5', () => `"made":5,"more":"${page}"`)
  expect(changed).toContain(page)
  expect(fault(changed)).toContain('was changed')
  expect(fault(text.replace('"made":5', '"made": 5'))).toContain('was changed')
})

test('a row that nothing proves is not shown', () => {
  const forged = row('01S', 3, 'DROP TABLE no_leaf')
  const foreign = row('01T', 1, 'DROP TABLE of_another')
  const hidden = row('01S', 1, 'DROP TABLE in_a_line_of_keys')
  const text = file(
    BEGIN,
    leaves('01S', row('01S', 1, 'SELECT 1'), forged),
    leaves('01T', foreign),
    { keys: [], ...leaves('01S', hidden) },
    { known: [], ...leaves('01S', hidden) },
    { chain: 'g.1', ...leaves('01S', hidden) },
    { end: true },
  )
  expect(text).toContain('SELECT 1')
  expect(text).not.toContain('DROP TABLE')
})

test('what the verifier does not take for the beginning is none for a reader either', () => {
  const renamed = COLUMNS.map(([name, type]) => [name === 'status' ? 'text' : name, type])
  const other = { scope: { type: 'session', session: '01T' }, columns: renamed, made: 9 }
  const text = file(
    BEGIN,
    { sluice: 'x', strays: [], ...other },
    leaves('01S', row('01S', 1, 'SELECT 1')),
    leaves('01T', row('01T', 1, 'SELECT 2')),
    { end: true },
  )
  expect(text).toContain('<h1>Session 01S</h1>')
  expect(text).toContain('SELECT 1')
  expect(text).not.toContain('SELECT 2')
})
