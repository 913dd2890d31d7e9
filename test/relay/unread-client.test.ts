import { describe, expect, test } from 'vitest'
import { type Progress, UnreadClient } from '../../src/relay/unread-client.ts'

const STILL: Progress = { unsentBytes: 1000, lastActive: 5 }

/** What each of so many looks says. */
function looks(client: UnreadClient, count: number, hasLeft: boolean, progress = STILL): string[] {
  return Array.from({ length: count }, () => client.look(hasLeft, progress))
}

describe('a client that is not read', () => {
  test('is asked for a sign of life every ten seconds in which nothing moves', () => {
    const said = looks(new UnreadClient(), 31, false)
    const asked = said.flatMap((one, at) => (one === 'ask' ? [at] : []))
    expect(asked).toEqual([10, 20, 30])
    expect(said).not.toContain('end')
  })

  test('is ended when it has left and nothing has moved for ten seconds', () => {
    const said = looks(new UnreadClient(), 11, true)
    expect(said.filter((one) => one === 'wait')).toHaveLength(10)
    expect(said.at(-1)).toBe('end')
  })

  test('that has stood still long enough is ended as soon as it is seen to have left', () => {
    const client = new UnreadClient()
    looks(client, 11, false)
    expect(looks(client, 1, true)).toEqual(['end'])
  })

  test.each([
    ['takes something', (at: number) => ({ ...STILL, unsentBytes: 1000 - at })],
    ['is sent something', (at: number) => ({ ...STILL, unsentBytes: 1000 + at })],
    ['says something', (at: number) => ({ ...STILL, lastActive: at })],
  ])('has its bytes go up for as long as the target %s now and then', (_, progress) => {
    const client = new UnreadClient()
    for (let round = 0; round < 10; round++)
      expect(looks(client, 9, true, progress(round))).not.toContain('end')
    expect(looks(client, 2, true, progress(9))).toEqual(['wait', 'end'])
  })
})
