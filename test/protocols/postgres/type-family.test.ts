import pg from 'pg'
import { expect, test } from 'vitest'
import { natureOf } from '../../../src/protocols/postgres/type-family.ts'

const { builtins } = pg.types

test('no built-in type that may hold text is called a scalar', () => {
  const texts = ['TEXT', 'VARCHAR', 'BPCHAR', 'CHAR', 'NAME', 'XML', 'REFCURSOR'] as const
  const others = ['TSVECTOR', 'TSQUERY', 'ACLITEM', 'GTSVECTOR'] as const
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
  for (const name of ['INT4', 'NUMERIC', 'TIMESTAMPTZ', 'INET', 'BOOL'] as const) {
    expect([name, family(name)]).toEqual([name, 'scalar'])
  }
})

test('types of users and extensions, composites and anyarray are `other`', () => {
  for (const typeOid of [16500, 2249, 2277, 0]) expect(natureOf({ typeOid }).family).toBe('other')
})

test('the length of varchar(n) and char(n) comes from the type modifier', () => {
  expect(natureOf({ typeOid: 1043, typeModifier: 14 }).lengthMax).toBe(10)
  expect(natureOf({ typeOid: 1042, typeModifier: 5 }).lengthMax).toBe(1)
  expect(natureOf({ typeOid: 1043, typeModifier: -1 }).lengthMax).toBe(0)
  expect(natureOf({ typeOid: 25 }).lengthMax).toBe(0)
  expect(natureOf({ typeOid: 18 }).lengthMax).toBe(1)
  expect(natureOf({ typeOid: 19 }).lengthMax).toBe(63)
})
