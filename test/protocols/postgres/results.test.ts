import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../src/protocols/postgres/sql/parse.ts'
import { down, MASKED, talk, up } from './conversations.ts'

beforeAll(() => loadParser())

const MONITORED = MASKED.replace('policy:', 'policy:\n  mode: monitor')

test('a description is asked for only where rows may come and something is masked', () => {
  const run = (text: string, policy = MASKED) =>
    up(talk(policy, `C> Parse "" "${text}" | Bind "" "" | Execute "" | Sync`)).map((one) => one[0])
  expect(run('SELECT id FROM orders')).toEqual(['P', 'B', 'D', 'E', 'S'])
  expect(run("INSERT INTO orders VALUES (1, 1, 1, 'x')")).toEqual(['P', 'B', 'E', 'S'])
  expect(run('SELECT id FROM orders', 'allow: read')).toEqual(['P', 'B', 'E', 'S'])
})

test('a column of a relation that nobody knows is hidden', () => {
  const play = talk(
    MASKED,
    'C> Query "SELECT id FROM orders"',
    'U> Raw T "\\x00\\x01id\\x00\\x00\\x01\\x01\\x01\\x00\\x01\\x00\\x00\\x00\\x19\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\x00" | DataRow "secret"',
  )
  expect(down(play)[1]).toBe('D "·\\u0001···\\u0004****"')
})

test('what only monitors hides nothing from the client, errors and notifications included', () => {
  const play = talk(
    MONITORED,
    'C> Query "SELECT email FROM customers"',
    'U> Notice P0001 "ada" | Notification c "ada" | RowDescription e=customers.email:text | DataRow "ada"',
  )
  expect(down(play).filter((frame) => frame.includes('ada'))).toHaveLength(3)
})

test('how long a row may be is another number for each session', () => {
  const ends = (size: string) => {
    const head = `U> RowDescription e=customers.email:text | Bytes 44${size}`
    return talk(MASKED, 'C> Query "SELECT email FROM customers"', head).client.isEnded
  }
  const ended = Array.from({ length: 60 }, () => ends('03800000'))
  expect(new Set(ended)).toEqual(new Set([true, false]))
  expect([ends('02ff0000'), ends('04000001')]).toEqual([false, true])
})

test('a row that is too long for its plan ends the session, and passes where nothing is masked', () => {
  const head = 'U> RowDescription e=customers.email:text | Bytes 4405000000'
  const masked = talk(MASKED, 'C> Query "SELECT email FROM customers"', head)
  expect(down(masked).at(-1)).toMatch(/VFATAL·C08P01.*larger than the gateway holds/)
  const passes = talk('C> Query "SELECT email FROM customers"', head, 'U> Bytes 0001ffffffff')
  expect(passes.client.isEnded).toBe(false)
  expect(passes.bytes('client').subarray(-11).toString('hex')).toBe('44050000000001ffffffff')
})
