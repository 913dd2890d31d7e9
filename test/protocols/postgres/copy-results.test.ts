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
