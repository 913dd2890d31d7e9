import { describe, expect, test } from 'vitest'
import { pseudonymDomain, sealBytes, sealText, sealUuid } from '../../../src/mask/pseudonym.ts'
import {
  isOpenedAs,
  openLiterals,
  openParameters,
  withOpened,
} from '../../../src/protocols/postgres/openings.ts'
import { readBind } from '../../../src/protocols/postgres/read.ts'
import {
  NO_MASK,
  type Opens,
  type Statement,
} from '../../../src/protocols/postgres/sql/analysis.ts'
import type { Catalogue } from '../../../src/protocols/postgres/sql/catalogue.ts'
import { opaqueStatement } from '../../../src/protocols/postgres/sql/opaque-statement.ts'
import { bind, cstring, frame, int16, int32 } from '../../lib/wire-client.ts'

const KEY = Buffer.alloc(32, 5)
const domain = pseudonymDomain(KEY, 'd')
const seal = (value: string) => sealText(Buffer.from(value), domain, 0)!.toString()
const about = { domain: 'd', kind: 'text', label: 'public.t.c' } as const
const NO_VIEWS = { relations: () => [] } as unknown as Catalogue

function statement(opens: Partial<Opens>): Statement {
  const made = opaqueStatement('', { reason: '', position: undefined })
  const all = { literals: [], parameters: [], checks: [], ...opens }
  return { ...made, mask: { ...NO_MASK, opens: all } }
}

function literal(text: string, pseudonym: string) {
  return {
    ...about,
    text: pseudonym,
    at: Buffer.byteLength(text.substring(0, text.indexOf(`'${pseudonym}`))),
  }
}

function opened(text: string, pseudonym: string, catalogue: Catalogue | undefined = NO_VIEWS) {
  const statements = [statement({ literals: [literal(text, pseudonym)] })]
  return openLiterals(text, statements, { key: KEY, catalogue })
}

describe('literals', () => {
  test('become what they stand for, and the text keeps its length in characters', () => {
    for (const value of ['a@b.example', "it's ''", 'ünïcode €', '', '\\x']) {
      const pseudonym = seal(value)
      const text = `SELECT 'ä' FROM t WHERE c = '${pseudonym}' AND 1=1`
      const answer = opened(text, pseudonym)
      const sent = answer.text!.toString()
      expect([...sent].length).toBe([...text].length)
      expect(sent).toContain(`c = '${value.replaceAll("'", "''")}'`)
      expect(sent.endsWith(' AND 1=1')).toBe(true)
      expect(answer.statements[0]!.mask).toMatchObject({ opens: undefined, refusal: undefined })
    }
  })

  test('are refused where they are no pseudonym, or written otherwise than between quotes', () => {
    const pseudonym = seal('x')
    for (const text of [
      `SELECT 1 WHERE c = E'${pseudonym}'`,
      `SELECT 1 WHERE c = N'${pseudonym}'`,
      `SELECT 1 WHERE c = U&'${pseudonym}'`,
      `SELECT 1 WHERE c = '${pseudonym}'\n  'x'`,
    ]) {
      const { statements } = opened(text, pseudonym)
      expect([text, statements[0]!.mask.refusal?.reason]).toEqual([
        text,
        expect.stringContaining('spelling'),
      ])
    }
    for (const guess of ['x', 'pn_', `${pseudonym}a`]) {
      const { statements } = opened(`SELECT 1 WHERE c = '${guess}'`, guess)
      expect(statements[0]!.mask.refusal?.reason).toContain('no pseudonym')
    }
  })

  test('are refused where something shows the text of the message', () => {
    const pseudonym = seal('x')
    const text = `SELECT 1 WHERE c = '${pseudonym}'`
    const view = { relations: () => [{ calls: [1, 817] }] } as unknown as Catalogue
    for (const catalogue of [view, undefined]) {
      const found = openLiterals(text, [statement({ literals: [literal(text, pseudonym)] })], {
        key: KEY,
        catalogue,
      })
      expect(found.statements[0]!.mask.refusal?.reason).toContain('current_query')
    }
    const calls = statement({})
    const facts = { ...calls.facts, functions: ['pg_catalog.current_query'] }
    const both = [{ ...calls, facts }, statement({ literals: [literal(text, pseudonym)] })]
    const found = openLiterals(text, both, { key: KEY, catalogue: NO_VIEWS })
    expect(found.statements[1]!.mask.refusal?.reason).toContain('current_query')
  })

  test('of a statement that is analysed again are the ones that went up', () => {
    const text = `SELECT 1 WHERE c = '${seal('x')}'`
    const asked = statement({ literals: [literal(text, seal('x'))] })
    const done = withOpened(asked)
    expect(done.mask.opens).toBeUndefined()
    expect(isOpenedAs(done, asked)).toBe(true)
    expect(isOpenedAs(asked, asked)).toBe(false)
    const other = statement({ literals: [{ ...literal(text, seal('x')), domain: 'e' }] })
    expect(isOpenedAs(done, other)).toBe(false)
  })
})

describe('parameters', () => {
  const ask = (bytes: Buffer, opens: Partial<Opens>) => {
    const padded = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
    const [start, end] = [6, 6 + bytes.length]
    const body = readBind(padded, start, end)!
    const all = { literals: [], parameters: [], checks: [], ...opens }
    return openParameters({ bytes: padded, start, end, body }, all, KEY)
  }
  const parameter = { ...about, number: 2, array: false }

  test('are translated in the place of their own, and the rest stays', () => {
    const answer = ask(bind({ statement: 's', values: ['1', seal('ü'), null, 'z'] }), {
      parameters: [parameter],
    })
    expect(answer).toEqual(bind({ statement: 's', values: ['1', 'ü', null, 'z'] }))
    const twice = { parameters: [parameter, { ...parameter, number: 4 }] }
    expect(ask(bind({ values: ['1', seal('a'), '', seal('bb')] }), twice)).toEqual(
      bind({ values: ['1', 'a', '', 'bb'] }),
    )
    const nothing = bind({ values: ['1', null] })
    expect(ask(nothing, { parameters: [parameter] })).toEqual(nothing)
  })

  test('are refused where they are no pseudonym of the domain', () => {
    for (const value of [
      'x',
      '',
      `${seal('x')} `,
      sealText(Buffer.from('x'), pseudonymDomain(KEY, 'e'), 0)!.toString(),
    ]) {
      expect(ask(bind({ values: ['1', value] }), { parameters: [parameter] })).toHaveProperty(
        'reason',
      )
    }
  })

  test('uuid and bytea in text and binary, and arrays', () => {
    const uuid = Buffer.from('0123456789ab4def8123456789abcdef', 'hex')
    const sealed = sealUuid(uuid, domain)!
    const dashed = (raw: Buffer) =>
      raw.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    const one = { ...about, number: 1, array: false }
    const asUuid = { parameters: [{ ...one, kind: 'uuid' as const }] }
    expect(ask(bind({ values: [dashed(sealed)] }), asUuid)).toEqual(
      bind({ values: [dashed(uuid)] }),
    )
    expect(ask(bind({ values: [dashed(uuid)] }), asUuid)).toHaveProperty('reason')
    const raw = (value: Buffer) =>
      frame(
        'B',
        cstring(''),
        cstring(''),
        int16(1),
        int16(1),
        int16(1),
        int32(value.length),
        value,
        int16(0),
      )
    expect(ask(raw(sealed), asUuid)).toEqual(raw(uuid))
    const bytes = sealBytes(Buffer.from('ab'), domain)
    const asBytea = { parameters: [{ ...one, kind: 'bytea' as const }] }
    expect(ask(raw(bytes), asBytea)).toEqual(raw(Buffer.from('ab')))
    expect(ask(bind({ values: [`\\x${bytes.toString('hex')}`] }), asBytea)).toEqual(
      bind({ values: ['\\x6162'] }),
    )
    const asArray = { parameters: [{ ...one, array: true }] }
    expect(ask(bind({ values: [`{${seal('a')},"${seal('b')}",NULL}`] }), asArray)).toEqual(
      bind({ values: ['{"a","b",NULL}'] }),
    )
    expect(ask(bind({ values: [`{${seal('a')},b}`] }), asArray)).toHaveProperty('reason')
    expect(ask(bind({ values: ['{}'] }), asArray)).toEqual(bind({ values: ['{}'] }))
  })

  test('what a mask has shown is not written back', () => {
    const check = { number: 1, transform: { type: 'redact' }, label: 'public.t.c' } as const
    expect(ask(bind({ values: ['****'] }), { checks: [check] })).toHaveProperty('reason')
    expect(ask(bind({ values: ['new'] }), { checks: [check] })).toEqual(bind({ values: ['new'] }))
    expect(ask(bind({ values: [null] }), { checks: [check] })).toEqual(bind({ values: [null] }))
  })
})
