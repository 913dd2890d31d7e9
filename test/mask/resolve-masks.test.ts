import { describe, expect, test } from 'vitest'
import type { MaskedColumns } from '../../src/mask/plan.ts'
import {
  type MaskableCatalogue,
  type MaskableRelation,
  resolveMasks,
  type ShownColumn,
} from '../../src/mask/resolve-masks.ts'
import type { ColumnMaskDeclaration, ValueTransform } from '../../src/mask/transform-spec.ts'

type Shape = Partial<Omit<MaskableRelation, 'columns'>> & { columns: readonly string[] }

function relation(oid: number, name: string, shape: Shape): MaskableRelation {
  const [schema, table] = name.split('.') as [string, string]
  return {
    oid,
    schema,
    name: table,
    children: [],
    parents: [],
    reads: [],
    ...shape,
    columns: shape.columns.map((text, index) => {
      const [column, from] = text.split('=') as [string, string | undefined]
      const generatedFrom = from === undefined ? [] : from.split('+').map(Number)
      return { number: index + 1, name: column, generatedFrom }
    }),
  }
}

function catalogue(...relations: MaskableRelation[]): MaskableCatalogue {
  return {
    epoch: 3,
    relation: (oid) => relations.find((one) => one.oid === oid),
    relations: () => relations,
  }
}

const KEEP: ValueTransform = { type: 'partial', keepFirst: 0, keepLast: 4 }

function mask(pattern: string, more: Partial<ColumnMaskDeclaration> = {}): ColumnMaskDeclaration {
  return {
    pattern: pattern.split('.') as [string, string, string],
    with: KEEP,
    inPredicates: 'allow',
    derived: 'mask',
    monitor: false,
    rule: 'p/0',
    ...more,
  }
}

function resolve(
  relations: MaskableRelation[],
  ...columns: ColumnMaskDeclaration[]
): MaskedColumns {
  return resolveMasks({ columns, detectors: [] }, catalogue(...relations), 'policy7')
}

/** `oid.column:transform` of all masks. */
function shown(masked: MaskedColumns): string[] {
  return [...masked.byRelation]
    .flatMap(([oid, columns]) =>
      [...columns].map(([number, one]) => `${oid}.${number}:${one.transform.type}`),
    )
    .sort()
}

const USERS = relation(20001, 'public.users', { columns: ['id', 'email', 'ssn'] })
const STAFF = relation(20002, 'hr.staff', { columns: ['id', 'ssn'] })

test('names tie to relation and attribute number, and `*` stands for any name of its part', () => {
  expect(shown(resolve([USERS, STAFF], mask('public.users.email')))).toEqual(['20001.2:partial'])
  expect(shown(resolve([USERS, STAFF], mask('*.*.ssn')))).toEqual([
    '20001.3:partial',
    '20002.2:partial',
  ])
  const masked = resolve([USERS, STAFF], mask('hr.*.*'))
  expect(shown(masked)).toEqual(['20002.1:partial', '20002.2:partial'])
  expect(masked.column(20002, 2)?.name).toBe('hr.staff.ssn')
  expect(masked.column(20001, 2)).toBeUndefined()
  expect([masked.touches(20002), masked.touches(20001)]).toEqual([true, false])
  expect(masked.key).toBe('policy7/3')
})

test('a star for the schema means the schemas that people made', () => {
  const settings = relation(100, 'pg_catalog.pg_settings', { columns: ['name'] })
  expect(shown(resolve([settings], mask('*.*.name')))).toEqual([])
  expect(shown(resolve([settings], mask('pg_catalog.*.name')))).toEqual(['100.1:partial'])
})

test('of two masks the stronger counts, an enforced one before one that only monitors', () => {
  const both = resolve(
    [USERS],
    mask('*.*.ssn', { inPredicates: 'deny' }),
    mask('public.users.ssn', { with: { type: 'hash' }, derived: 'deny', rule: 'q/1' }),
  )
  expect(both.column(20001, 3)).toMatchObject({
    transform: { type: 'hash' },
    inPredicates: 'deny',
    derived: 'deny',
    rule: 'q/1',
  })
  const mixed = resolve(
    [USERS],
    mask('*.*.ssn', { monitor: true, with: { type: 'null' } }),
    mask('*.*.ssn'),
  )
  expect(mixed.column(20001, 3)).toMatchObject({ monitor: false, transform: KEEP })
})

test('partitions, inheritance children and parents share the mask by column name', () => {
  const root = relation(1, 'public.cards', { columns: ['id', 'number'], children: [2, 3] })
  const one = relation(2, 'public.cards_1', { columns: ['number', 'id'], parents: [1] })
  const two = relation(3, 'other.cards_2', { columns: ['x', 'number'], parents: [1] })
  const all = ['1.2:partial', '2.1:partial', '3.2:partial']
  expect(shown(resolve([root, one, two], mask('public.cards.number')))).toEqual(all)
  expect(shown(resolve([root, one, two], mask('other.cards_2.number')))).toEqual(all)
})

test('what is generated from a masked column is redacted, however deep', () => {
  const table = relation(1, 'public.t', { columns: ['email', 'domain=1', 'key=2+4', 'id'] })
  expect(shown(resolve([table], mask('*.t.email')))).toEqual([
    '1.1:partial',
    '1.2:redact',
    '1.3:redact',
  ])
  const gone = resolve([table], mask('*.t.email', { with: { type: 'null' } }))
  expect(shown(gone)).toEqual(['1.1:null', '1.2:null', '1.3:null'])
})

test('one that is computed whenever it is read, by what may fail, is refused wherever it would be', () => {
  const table = relation(1, 'public.t', { columns: ['email', 'stored=1', 'computed=1', 'id'] })
  const view = relation(2, 'public.v', {
    columns: ['computed'],
    reads: [{ relation: 1, column: 3 }],
  })
  const base = catalogue(table, view)
  const shows = (oid: number) =>
    new Map(oid === 2 ? [[1, [{ relation: 1, column: 3, how: 'same' as const }]]] : [])
  const mayFail = (oid: number, column: number) => oid === 1 && column === 3
  const declarations = { columns: [mask('*.t.email')], detectors: [] }
  const masked = resolveMasks(declarations, { ...base, shows, mayFail }, 'policy7')
  expect(masked.column(1, 2)?.fallible).toBeUndefined()
  expect(masked.column(1, 3)).toMatchObject({ fallible: true, transform: { type: 'redact' } })
  expect(masked.column(2, 1)?.fallible).toBe(true)
})

test('a view that reads a masked column, through others or as a whole row, is masked whole', () => {
  const reads = (relation: number, column: number) => ({ reads: [{ relation, column }] })
  const plain = relation(2, 'public.v', { columns: ['a', 'b'], ...reads(20001, 2) })
  const deep = relation(3, 'public.w', { columns: ['c'], ...reads(2, 1) })
  const whole = relation(4, 'public.x', { columns: ['d'], ...reads(20001, 0) })
  const other = relation(5, 'public.y', { columns: ['e'], ...reads(20001, 1) })
  const masked = resolve([USERS, plain, deep, whole, other], mask('public.users.email'))
  expect(shown(masked)).toEqual([
    '2.1:redact',
    '2.2:redact',
    '20001.2:partial',
    '3.1:redact',
    '4.1:redact',
    // It may read the row whole as well, which the target does not keep beside a column.
    '5.1:redact',
  ])
})

test('a view of which is known what it shows is masked there, whatever it is said to read', () => {
  const view = relation(2, 'public.v', {
    columns: ['id', 'row', 'ssn'],
    reads: [
      { relation: 20001, column: 1 },
      { relation: 20001, column: 3 },
    ],
  })
  const shows = new Map<number, readonly ShownColumn[]>([
    [1, [{ relation: 20001, column: 1, how: 'same' }]],
    [2, [{ relation: 20001, column: 0, how: 'total' }]],
    [3, [{ relation: 20001, column: 3, how: 'same' }]],
  ])
  const known = { ...catalogue(USERS, view), shows: () => shows }
  const masked = resolveMasks(
    { columns: [mask('public.users.email')], detectors: [] },
    known,
    'key',
  )
  expect(shown(masked)).toEqual(['2.2:redact', '20001.2:partial'])
})

test('carriers are masked while any column is, and a view over them too, but not their own views', () => {
  const statistic = relation(2619, 'pg_catalog.pg_statistic', {
    columns: ['starelid', 'stavalues1'],
  })
  const stats = relation(12000, 'pg_catalog.pg_stats', {
    columns: ['tablename', 'most_common_vals'],
    reads: [{ relation: 2619, column: 0 }],
  })
  const activity = relation(12100, 'pg_catalog.pg_stat_activity', { columns: ['pid', 'query'] })
  const statements = relation(30000, 'ext.pg_stat_statements', { columns: ['query', 'calls'] })
  const fake = relation(30001, 'public.pg_stat_activity', { columns: ['query'] })
  const over = relation(30002, 'public.v', {
    columns: ['t'],
    reads: [{ relation: 12000, column: 2 }],
  })
  const all = [USERS, statistic, stats, activity, statements, fake, over]
  expect(shown(resolve(all, mask('public.nothing.email')))).toEqual([])
  const masked = resolve(all, mask('public.users.email', { monitor: true }))
  expect(shown(masked)).toEqual([
    '12000.2:redact',
    '12100.2:redact',
    '20001.2:partial',
    '2619.2:redact',
    '30000.1:redact',
    '30002.1:redact',
  ])
  expect(masked.column(12100, 2)?.monitor).toBe(true)
  const enforced = resolve(all, mask('public.users.email'))
  expect(enforced.column(12100, 2)?.monitor).toBe(false)
})

test('views that read each other in a circle come to an end', () => {
  const one = relation(2, 'public.a', {
    columns: ['x'],
    reads: [
      { relation: 3, column: 1 },
      { relation: 20001, column: 2 },
    ],
  })
  const two = relation(3, 'public.b', { columns: ['y'], reads: [{ relation: 2, column: 1 }] })
  const masked = resolve([USERS, one, two], mask('public.users.email'))
  expect(shown(masked)).toEqual(['2.1:redact', '20001.2:partial', '3.1:redact'])
})

test('a pseudonym without a domain is its column’s own, and one with a domain is shared', () => {
  const tables = catalogue(
    relation(1, 'public.users', { columns: ['email', 'owner'] }),
    relation(2, 'public.orders', { columns: ['email'] }),
  )
  const of = (domain: string) => {
    const declared = [mask('*.*.email', { with: { type: 'pseudonym', domain } })]
    const masked = resolveMasks({ columns: declared, detectors: [] }, tables, 'k')
    return [masked.column(1, 1)?.transform, masked.column(2, 1)?.transform]
  }
  expect(of('person')).toEqual([
    { type: 'pseudonym', domain: 'person' },
    { type: 'pseudonym', domain: 'person' },
  ])
  expect(of('\0shop')).toEqual([
    { type: 'pseudonym', domain: '\0shop\0public.users.email' },
    { type: 'pseudonym', domain: '\0shop\0public.orders.email' },
  ])
})

describe('parts of the documents in a column', () => {
  const DOCS = relation(20020, 'public.docs', { columns: ['id', 'd', 'kind=2'], children: [20021] })
  const CHILD = relation(20021, 'public.docs_1', {
    columns: ['id', 'd', 'kind=2'],
    parents: [20020],
  })
  const part = (path: string, more: Partial<ColumnMaskDeclaration> = {}) =>
    mask('public.docs.d', { path: path.split('.'), ...more })
  const partsOf = (masked: MaskedColumns, relation = 20020) => {
    const transform = masked.column(relation, 2)?.transform
    return transform?.type === 'paths'
      ? transform.paths.map((one) => [
          one.path.join('.'),
          one.transform.type,
          one.monitor,
          one.name,
        ])
      : transform?.type
  }

  test('are tied to the column, add up, and go with it to partitions', () => {
    const masked = resolve([DOCS, CHILD], part('card'), part('a.b', { with: { type: 'hash' } }))
    const both = [
      ['card', 'partial', false, "public.docs.d->'card'"],
      ['a.b', 'hash', false, "public.docs.d->'a'->'b'"],
    ]
    expect(partsOf(masked)).toEqual(both)
    expect(partsOf(masked, 20021)).toEqual(both)
    expect(masked.column(20020, 2)).toMatchObject({ name: 'public.docs.d', monitor: false })
    // What is computed from the document is hidden whole.
    expect(masked.column(20020, 3)?.transform).toEqual({ type: 'redact' })
  })

  test('give way to a mask of the whole, unless that only monitors', () => {
    const whole = (monitor: boolean) => mask('public.docs.d', { with: { type: 'redact' }, monitor })
    expect(partsOf(resolve([DOCS, CHILD], part('card'), whole(false)))).toBe('redact')
    expect(partsOf(resolve([DOCS, CHILD], whole(false), part('card')))).toBe('redact')
    const watched = resolve([DOCS, CHILD], whole(true), part('card'))
    expect(partsOf(watched)).toEqual([
      ['card', 'partial', false, "public.docs.d->'card'"],
      ['', 'redact', true, 'public.docs.d'],
    ])
    expect(watched.column(20020, 2)?.monitor).toBe(false)
    const mixed = resolve([DOCS, CHILD], part('name', { monitor: true }), part('card'))
    expect(partsOf(mixed)).toEqual([
      ['card', 'partial', false, "public.docs.d->'card'"],
      ['name', 'partial', true, "public.docs.d->'name'"],
    ])
  })

  test('have pseudonyms of their own unless a domain is named', () => {
    const own = (path: string) => part(path, { with: { type: 'pseudonym', domain: '' } })
    const transform = resolve([DOCS, CHILD], own('a'), own('b')).column(20020, 2)?.transform
    const domains =
      transform?.type === 'paths'
        ? transform.paths.map((one) => one.transform.type === 'pseudonym' && one.transform.domain)
        : []
    expect(new Set(domains).size).toBe(2)
  })
})

test('what a session put into temporary relations itself has no form that answers guesses', () => {
  const own = [relation(1, 'pg_temp.guesses', { columns: ['mail'] })]
  const of = (how: ValueTransform, more: Partial<ColumnMaskDeclaration> = {}) =>
    resolve(own, mask('*.guesses.mail', { with: how, ...more })).column(1, 1)?.transform
  expect(of({ type: 'pseudonym', domain: 'd' })).toEqual({ type: 'redact' })
  expect(of({ type: 'hash' })).toEqual({ type: 'redact' })
  expect(of(KEEP)).toEqual(KEEP)
  expect(of({ type: 'hash' }, { path: ['a'] })).toMatchObject({
    paths: [{ transform: { type: 'redact' } }],
  })
  expect(of(KEEP, { path: ['a'] })).toMatchObject({ paths: [{ transform: KEEP }] })
})
