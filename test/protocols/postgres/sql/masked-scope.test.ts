import { beforeAll, describe, expect, test } from 'vitest'
import {
  allMarks,
  clearItem,
  exposureOf,
  hideOrigin,
  isClear,
  itemOf,
  type Level,
  meant,
  uniqueMarks,
  type World,
} from '../../../../src/protocols/postgres/sql/masked-scope.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { MASKED, NAMES, one, resolve } from './sample.ts'

beforeAll(loadParser)

const world: World = {
  masked: MASKED,
  relationOf: resolve,
  relation: (oid) => NAMES.catalogue.relation(oid),
}
const customers = itemOf({ relname: 'customers' }, world)
const orders = itemOf({ relname: 'orders' }, world)

function level(items: Level['items'], definite = true, parent?: Level): Level {
  return { items, definite, parent }
}

function labels(reference: string, at: Level): string[] {
  const stmt = one(`SELECT ${reference}`)
  const target = 'SelectStmt' in stmt ? stmt.SelectStmt.targetList?.[0] : undefined
  const value = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
  const found = meant(value !== undefined && 'ColumnRef' in value ? value.ColumnRef.fields : [], at)
  return [...found.marks.map((mark) => mark.label.split('.').at(-1)!), found.exact ? 'exact' : '']
}

describe('what a name means', () => {
  test.each([
    ['email', ['email', 'exact']],
    ['name', ['exact']],
    ['customers.ssn', ['ssn', 'exact']],
    ['public.customers.ssn', ['ssn', 'exact']],
    ['shop.public.customers.ssn', ['ssn', 'exact']],
    ['customers', ['email', 'ssn', 'card', '']],
    ['*', ['email', 'ssn', 'card', '']],
    ['nosuch', ['email', 'ssn', 'card', '']],
    ['customers.nosuch', ['email', 'ssn', 'card', '']],
    ['other.customers.id', ['email', 'ssn', 'card', '']],
    ['nobody.id', ['email', 'ssn', 'card', '']],
    ['orders.id', ['exact']],
    ['orders.*', ['']],
    ['ctid', ['exact']],
  ])('%s: %j', (reference, wanted) => {
    expect(labels(reference, level([customers, orders]))).toEqual(wanted)
  })

  test('an inner column hides no outer one: it may be gone before the target looks', () => {
    const outer = level([customers])
    const contacts = itemOf({ relname: 'contacts' }, world)
    expect(labels('email', level([contacts], true, outer))).toEqual(['email', ''])
    expect(labels('email', level([contacts], false, outer))).toEqual(['email', ''])
  })

  test('columns of an alias list are the renamed ones', () => {
    const colnames = ['a', 'b', 'c'].map((sval) => ({ String: { sval } }))
    const renamed = itemOf({ relname: 'customers', alias: { aliasname: 't', colnames } }, world)
    expect(labels('t.c', level([renamed]))).toEqual(['email', 'exact'])
    expect(labels('ssn', level([renamed]))).toEqual(['ssn', 'exact'])
  })
})

test('a view counts as what it reads, also through other views', () => {
  const whole = (name: string) => exposureOf(resolve(undefined, name)!, world).whole.length
  expect(['customer_mails', 'over_view', 'customer_names'].map(whole)).toEqual([1, 1, 0])
})

test('what a partition hides its root does not show, nor as a plain column', () => {
  const [mark] = exposureOf(resolve(undefined, 'events')!, world).marks.values()
  expect(mark).toMatchObject({ label: 'public.events.body', plain: false })
})

test('what no catalogue explains is hidden whole', () => {
  const unknown = itemOf({ relname: 'nosuch' }, world)
  expect(allMarks([unknown])).toMatchObject([{ label: 'nosuch', mask: undefined }])
  expect(isClear(unknown)).toBe(false)
  expect(isClear(clearItem('x', undefined))).toBe(true)
})

test('masked columns of unique keys are found', () => {
  const found = uniqueMarks(resolve(undefined, 'customers')!, customers)
  expect(found.map((mark) => mark.label)).toEqual(['public.customers.email'])
  expect(hideOrigin(found[0]!).plain).toBe(false)
})
