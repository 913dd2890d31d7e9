import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { recordedBytes } from '../../contract/memory.ts'
import { down, MASKED, talk } from './conversations.ts'

beforeAll(() => loadParser())

const COPY = 'C> Query "COPY customers (id, email) TO STDOUT"'
const DATA =
  'U> CopyOut 0 0 | CopyData "1\\tada@x.org\\n" | CopyDone | CommandComplete "COPY 1" | Ready I'

test('the record holds what the client saw of a COPY', () => {
  const play = talk(MASKED, COPY, DATA)
  expect(down(play).join()).toContain('1\\t****\\n')
  expect(recordedBytes(play.events)).toContain('1\t****\n')
  expect(recordedBytes(play.events)).not.toContain('ada')
})

test('what only monitors is clear for the client and hidden in the record', () => {
  const play = talk(MASKED.replace('policy:', 'policy:\n  mode: monitor'), COPY, DATA)
  expect(down(play).join()).toContain('ada@x.org')
  expect(recordedBytes(play.events)).toContain('1\t****\n')
  expect(recordedBytes(play.events)).not.toContain('ada')
})

test('the rows of COPY (query) are read by detectors', () => {
  const play = talk(
    'policy:\n  masks:\n    - { detect: [email], with: redact }',
    'C> Query "COPY (SELECT notes FROM customers) TO STDOUT"',
    'U> CopyOut 0 | CopyData "write to ada@example.com\\n" | CopyDone',
  )
  expect(down(play).join()).toContain('write to ****')
})

test('a row that does not fit its columns, and data that goes on after the end, end the session', () => {
  for (const frames of [
    'CopyOut 0 0 | CopyData "1\\n"',
    'CopyOut 0 0 | CopyDone | CopyData "1\\t2\\n"',
    'CopyOut 0 0 | CopyDone | CopyDone',
  ]) {
    expect(down(talk(MASKED, COPY, `U> ${frames}`)).at(-1)).toMatch(/VFATAL·C08P01/)
  }
})

const BINARY = 'C> Query "COPY customers (name, email) TO STDOUT (FORMAT binary)"'
const HEAD = `PGCOPY\\n\\xff\\x0d\\n${'\\x00'.repeat(9)}`

test('binary is masked for the client, and for the record where it is clear for the client', () => {
  const row = '\\x00\\x02\\x00\\x00\\x00\\x03Ada\\x00\\x00\\x00\\x09ada@x.org'
  const data = `U> Bytes 480000000b01000200010001 | CopyData "${HEAD}${row}" | CopyData "\\xff\\xff" | CopyDone | CommandComplete "COPY 1"`
  const play = talk(MASKED, BINARY, data)
  expect(down(play).join()).toContain('****')
  expect(down(play).join() + recordedBytes(play.events)).not.toContain('ada@x.org')
  const watched = talk(MASKED.replace('policy:', 'policy:\n  mode: monitor'), BINARY, data)
  expect(down(watched).join()).toContain('ada@x.org')
  expect(recordedBytes(watched.events)).toContain('****')
  expect(recordedBytes(watched.events)).not.toContain('ada@x.org')
})

test('another form, or another number of fields, than was asked for ends the session', () => {
  for (const [asked, frames] of [
    [BINARY, 'CopyOut 0 0'],
    [BINARY, 'Bytes 480000000901000100010001'],
    [BINARY, 'Bytes 48000000090100010001'],
    [COPY, 'Bytes 480000000b01000200010001'],
    [BINARY, `Bytes 480000000b01000200010001 | CopyData "${HEAD}" | CopyDone`],
    [BINARY, 'Bytes 480000000b01000200010001 | CopyDone'],
    [BINARY, 'Bytes 480000000b01000200010001 | CopyData "1\\tada@x.org\\n"| CopyDone'],
  ] as const) {
    const answers = down(talk(MASKED, asked, `U> ${frames}`))
    expect(answers.at(-1)).toMatch(/VFATAL·C08P01/)
    expect(answers.join()).not.toContain('ada@x.org')
  }
})
