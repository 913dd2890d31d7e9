import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isUnchanged,
  lookFrom,
  renewCatalogue,
} from '../../../../src/protocols/postgres/sql/catalogue-changes.ts'
import type { Seen } from '../../../../src/protocols/postgres/sql/catalogue-look.ts'
import { buildCatalogue } from '../../../../src/protocols/postgres/sql/catalogue-read.ts'

/** Two tables, 20001 with an index and 20002, a function and a type. */
const ANSWER = {
  at: null,
  start: '2023-11-14T22:13:20+00:00',
  since: '700',
  behind: 5,
  version: 150000,
  server: '127.0.0.1 5432 f 7',
  schemas: [[2200, 'public', '1']],
  extensions: null,
  names: { path: [] },
  relations: '600:20001 601:20002',
  indexes: '600:20010:20001',
  inherits: '',
  constraints: '',
  triggers: '',
  rules: '',
  routines: '602:20003',
  operators: '',
  types: '600:20004',
  casts: '',
  columns: '',
}
const NONE = { relations: [], routines: [], types: [], operators: false, casts: false }
const BEFORE = seenIn({})

function seenIn(change: object, former?: Seen): Seen {
  return lookFrom(JSON.stringify({ ...ANSWER, ...change }), former)!.seen
}
const chosen = (change: object) =>
  lookFrom(JSON.stringify({ ...ANSWER, ...change }), BEFORE)?.choice

test.each([
  ['nothing', {}, {}],
  ['nothing listed again', { relations: null, indexes: null, types: null }, {}],
  ['a new table', { relations: '600:20001 601:20002 710:20005' }, { relations: [20005] }],
  ['a changed table', { relations: '710:20001 601:20002' }, { relations: [20001] }],
  ['a table that is gone, with its index', { relations: '601:20002', indexes: '' }, {}],
  ['an index that is gone', { indexes: '' }, { relations: [20001] }],
  ['a column', { columns: '710:20002' }, { relations: [20002] }],
  ["a column of a table of another session's own", { columns: '710:29999' }, {}],
  ['a partition', { inherits: '710:20002:20001' }, { relations: [20001, 20002] }],
  ['a foreign key', { constraints: '710:20011:20001:0' }, { relations: [20001] }],
  ['a check of a domain', { constraints: '710:20011:0:20004' }, { types: [20004] }],
  ['a trigger', { triggers: '710:20012:20002' }, { relations: [20002] }],
  ['a rule', { rules: '710:20012:20002' }, { relations: [20002] }],
  ['a function', { routines: '710:20003' }, { routines: [20003] }],
  ['an operator', { operators: '710:20013' }, { operators: true }],
  ['a cast', { casts: '710:20013' }, { casts: true }],
  ['a schema', { schemas: [...ANSWER.schemas, [20014, 'app', '710']] }, {}],
])('%s: just that is loaded', (_, change, choice) => {
  const found = chosen(change)!
  expect({ ...found, relations: [...found.relations].sort() }).toEqual({ ...NONE, ...choice })
})

test.each([
  ['another version', { version: 150001 }],
  ['another server', { server: '127.0.0.2 5432 f 7' }],
  ['a schema with another name', { schemas: [[2200, 'other', '710']] }],
  ['another extension', { extensions: '20015:710' }],
  ['a look too long ago', { behind: 2_000_000_000 }],
  ['ages that have wrapped around', { behind: -1 }],
  [
    'too many objects',
    { relations: Array.from({ length: 400 }, (_, i) => `710:${30000 + i}`).join(' ') },
  ],
])('%s: everything is loaded', (_, change) => {
  expect(lookFrom(JSON.stringify({ ...ANSWER, ...change }), BEFORE)).toBeDefined()
  expect(chosen(change)).toBeUndefined()
})

test('a change that was seen is not loaded again while its transaction still counts as fresh', () => {
  const once = seenIn({ columns: '710:20002' }, BEFORE)
  const again = lookFrom(JSON.stringify({ ...ANSWER, columns: '710:20002' }), once)!
  expect(again.choice).toEqual(NONE)
  expect(isUnchanged(once, again.seen)).toBe(true)
  expect(isUnchanged(BEFORE, once)).toBe(false)
  for (const change of [{ routines: '' }, { schemas: [] }, { server: '' }, { extensions: '1:2' }])
    expect(isUnchanged(BEFORE, seenIn(change))).toBe(false)
})

test('an answer of another shape is not taken', () => {
  const wrong = [
    { relations: 'x' },
    { relations: 7 },
    { schemas: {} },
    { schemas: [[1]] },
    { since: 'x' },
    { server: 7 },
    { behind: null },
    { columns: null },
  ]
  for (const change of wrong)
    expect(lookFrom(JSON.stringify({ ...ANSWER, ...change }), BEFORE)).toBeUndefined()
  // What is left out can only be what was known.
  expect(lookFrom(JSON.stringify({ ...ANSWER, relations: null }), undefined)).toBeUndefined()
  fc.assert(fc.property(fc.json(), (json) => lookFrom(json, BEFORE) === undefined))
})

const row = (oid: number, name: string) => [
  oid,
  'public',
  name,
  'r',
  false,
  ...Array(10).fill(null),
]
const LOADED = {
  version: 150000,
  builtIn: { routines: 'upper', volatile: 'nextval', operators: '=', types: 'text' },
  relations: [row(100, 'made_by_initdb'), row(20001, 'a'), row(20002, 'b')],
  routines: [[20003, 'public', 'f', 'f', 'v', null]],
  operators: [],
  types: [[20004, 'public', 'd', 'd', null, null, null]],
  casts: [],
}

test('a catalogue keeps what was not changed, drops what is gone and takes what was loaded', () => {
  const former = buildCatalogue(JSON.stringify(LOADED), 1)!.parts!
  const change = { relations: '710:20002 710:20005', indexes: '', routines: '' }
  const look = lookFrom(JSON.stringify({ ...ANSWER, ...change }), BEFORE)!
  const choice = look.choice!
  expect(choice).toEqual({ ...NONE, relations: [20002, 20005] })
  const json = JSON.stringify({
    relations: [row(20002, 'renamed'), row(20005, 'fresh')],
    routines: [],
    types: [[20006, 'public', 'fresh', 'c', null, null, null]],
  })
  const seen = {
    ...look.seen,
    sources: { ...look.seen.sources, types: new Set(['1:20004', '2:20006']) },
  }
  const now = renewCatalogue(former, { look: { ...look, seen }, choice, json, epoch: 2 })!
  const names = [...now.relations()].map((one) => one.name)
  expect(names.sort()).toEqual(['fresh', 'made_by_initdb', 'renamed'])
  expect(now.routine(20003)).toBeUndefined()
  expect(now.type(20004)?.name).toBe('d')
  expect(now.type(20006)?.name).toBe('fresh')
  expect([now.epoch, now.builtInRoutine('pg_catalog', 'upper')]).toEqual([2, true])
  for (const broken of [undefined, '', '{}'])
    expect(renewCatalogue(former, { look, choice, json: broken, epoch: 2 })).toBeUndefined()
})
