import { expect, test } from 'vitest'
import { pseudonymDomain, sealText } from '../../../src/mask/pseudonym.ts'
import type { Conversation } from '../../../src/protocols/postgres/conversation.ts'
import { Opener } from '../../../src/protocols/postgres/opener.ts'
import { readBind } from '../../../src/protocols/postgres/read.ts'
import { NO_MASK, type Opens } from '../../../src/protocols/postgres/sql/analysis.ts'
import { opaqueStatement } from '../../../src/protocols/postgres/sql/opaque-statement.ts'
import type { Portal } from '../../../src/protocols/postgres/statements.ts'
import { bind } from '../../lib/wire-client.ts'

const KEY = Buffer.alloc(32, 5)
const PSEUDONYM = sealText(Buffer.from('x'), pseudonymDomain(KEY, 'd'), 0)!.toString()
const about = { domain: 'd', kind: 'text', label: 'public.t.c' } as const

function statement(opens: Partial<Opens> | undefined) {
  const made = opaqueStatement('', { reason: '', position: undefined })
  const all = opens && { literals: [], parameters: [], checks: [], ...opens }
  return { ...made, mask: { ...NO_MASK, opens: all } }
}

function opener() {
  const refusals: string[] = []
  const talk = {
    keeper: { names: { catalogue: { relations: () => [] } } },
    parts: { worker: { maskKey: KEY } },
  } as unknown as Conversation
  const refuser = {
    refuseOpening: (_: Portal, { reason }: { reason: string }) => void refusals.push(reason),
  }
  return { made: new Opener(talk, refuser), refusals }
}

test('the text of the last message goes up translated, and only where it must', () => {
  const { made } = opener()
  const text = `SELECT 1 WHERE c = '${PSEUDONYM}'`
  const asked = statement({ literals: [{ ...about, text: PSEUDONYM, at: 19 }] })
  const [done] = made.statements(text, [asked])
  expect(made.instead?.toString().trimEnd()).toBe("SELECT 1 WHERE c = 'x'")
  expect(done!.mask.opens).toBeUndefined()
  const plain = [statement(undefined)]
  expect(made.statements('SELECT 1', plain)).toBe(plain)
  expect(made.instead).toBeUndefined()
})

test('a portal runs only if its parameters were translated', () => {
  const { made, refusals } = opener()
  const prepared = { statement: statement({ parameters: [{ ...about, number: 1, array: false }] }) }
  const portal = { prepared } as unknown as Portal
  expect(made.isOpen(portal)).toBe(false)
  const asked = (value: string) => {
    const bytes = bind({ values: [value] })
    const body = readBind(bytes, 0, bytes.length)!
    return made.bind(portal, { bytes, start: 0, end: bytes.length, body })
  }
  expect(asked('a guess')).toBeUndefined()
  expect(portal.opened).toBeUndefined()
  expect(asked(PSEUDONYM)).toEqual(bind({ values: ['x'] }))
  expect(made.isOpen(portal)).toBe(true)
  expect(refusals).toEqual([
    expect.stringContaining('bound before'),
    expect.stringContaining('no pseudonym'),
  ])
})
