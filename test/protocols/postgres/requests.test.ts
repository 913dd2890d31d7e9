import { beforeAll, describe, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

test('behind ten thousand unanswered messages little is kept of a client, and answers let it go on', () => {
  const many = new Array(10_001).fill('Close S x').join(' | ')
  const play = talk(`C> ${many}`)
  expect(up(play)).toHaveLength(10_000)
  // Or nobody would see that it leaves.
  expect(play.client.isPaused).toBe(false)
  const more = talk(`C> ${many}`, `C> Query "SELECT '${'x'.repeat(64 << 10)}'"`)
  expect(up(more)).toHaveLength(10_000)
  expect(more.client.isPaused).toBe(true)
  const answered = talk(`C> ${many}`, 'U> CloseComplete')
  expect(up(answered)).toHaveLength(10_001)
  expect(answered.client.isPaused).toBe(false)
})

test('little is kept of a client while a COPY that it asked for is not answered', () => {
  const play = talk('C> Query "COPY orders FROM STDIN" | CopyData "1"')
  expect([up(play).length, play.client.isPaused]).toEqual([1, false])
  const more = talk(`C> Query "COPY orders FROM STDIN" | CopyData "${'1'.repeat(64 << 10)}"`)
  expect([up(more).length, more.client.isPaused]).toEqual([1, true])
})

describe('bodies that do not add up end the session', () => {
  test.each([
    'Raw Q "no end"',
    'Raw P "s"',
    'Raw B "p"',
    'Raw D "Xname\\x00"',
    'Raw D "S"',
    'Raw E "p\\x00\\x00"',
    'Raw C "Zname\\x00"',
    'Bind "" "" formats:2 "x"',
  ])('%s', (frame) => {
    const play = talk(`C> ${frame} | Query "SELECT 1"`)
    expect(up(play)).toEqual([])
    expect(down(play)[0]).toMatch(/^E .*VFATAL·C08P01/)
    expect(play.target.isEnded).toBe(true)
  })
})

test('a Describe of an unknown name is the target’s to answer', () => {
  const play = talk('C> Describe S ghost | Sync')
  expect(up(play).map((frame) => frame[0])).toEqual(['D', 'S'])
})
