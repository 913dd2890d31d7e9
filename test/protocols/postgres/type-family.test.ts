import pg from 'pg'
import { expect, test } from 'vitest'
import { natureOf } from '../../../src/protocols/postgres/type-family.ts'

const { builtins } = pg.types

test('no built-in type that may hold text is called a scalar', () => {
  const texts = ['TEXT', 'VARCHAR', 'BPCHAR', 'CHAR', 'NAME', 'XML'] as const
  const others = ['TSVECTOR', 'TSQUERY', 'ACLITEM', 'GTSVECTOR', 'REFCURSOR'] as const
  const family = (name: keyof typeof builtins) => natureOf({ typeOid: builtins[name] }).family
  for (const name of texts)
    if (name in builtins) expect([name, family(name as never)]).toEqual([name, 'text'])
  for (const name of others) expect([name, family(name)]).toEqual([name, 'other'])
  expect([family('JSON'), family('JSONB'), family('UUID'), family('BYTEA')]).toEqual([
    'json',
    'jsonb',
    'uuid',
    'bytea',
  ])
  expect([family('INT2'), family('INT4'), family('INT8'), family('DATE')]).toEqual([
    'int2',
    'int4',
    'int8',
    'date',
  ])
  for (const name of ['NUMERIC', 'TIMESTAMPTZ', 'INET', 'BOOL'] as const) {
    expect([name, family(name)]).toEqual([name, 'scalar'])
  }
})

test('types of users and extensions are `other` unless they are known as rows or arrays', () => {
  for (const typeOid of [16500, 0, 3614]) expect(natureOf({ typeOid }).family).toBe('other')
  expect(natureOf({ typeOid: 2249 }).family).toBe('record')
  for (const typeOid of [2277, 2287]) expect(natureOf({ typeOid }).family).toBe('array')
  const types = new Map([
    [16500, { name: 'place', kind: 'c', uses: [] }],
    [16501, { name: '_place', kind: 'b', uses: [16500] }],
    [16502, { name: 'mood', kind: 'e', uses: [] }],
    [16503, { name: 'citext', kind: 'b', uses: [] }],
  ])
  const nature = (typeOid: number) => natureOf({ typeOid }, (oid) => types.get(oid))
  const families = [16500, 16501, 16502, 16503].map((oid) => nature(oid).family)
  expect(families).toEqual(['record', 'array', 'other', 'other'])
  expect(nature(16501).inner?.(16500).family).toBe('record')
  expect(nature(16501).inner?.(25).family).toBe('text')
})

test('blanks at the end of char(n) mean nothing', () => {
  expect(natureOf({ typeOid: 1042 }).padded).toBe(true)
  expect(natureOf({ typeOid: 1043 }).padded).toBeUndefined()
})

test('the length of varchar(n) and char(n) comes from the type modifier', () => {
  expect(natureOf({ typeOid: 1043, typeModifier: 14 }).lengthMax).toBe(10)
  expect(natureOf({ typeOid: 1042, typeModifier: 5 }).lengthMax).toBe(1)
  expect(natureOf({ typeOid: 1043, typeModifier: -1 }).lengthMax).toBe(0)
  expect(natureOf({ typeOid: 25 }).lengthMax).toBe(0)
  expect(natureOf({ typeOid: 18 }).lengthMax).toBe(1)
  expect(natureOf({ typeOid: 19 }).lengthMax).toBe(63)
})
