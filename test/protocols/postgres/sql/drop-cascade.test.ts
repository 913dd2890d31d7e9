import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { judge, NAMES, namesOf, relation } from './catalogue-sample.ts'

beforeAll(loadParser)

const column = (number: number, name: string, typeOid: number, generatedFrom: number[] = []) => ({
  number,
  name,
  typeOid,
  notNull: false,
  generatedFrom,
})
const type = (oid: number, schema: string, name: string, kind: string, uses: number[]) => ({
  oid,
  schema,
  name,
  kind,
  extension: undefined,
  calls: [],
  uses,
})

const names = namesOf({
  relations: [
    relation(50001, 'moods', { columns: [column(1, 'id', 23), column(2, 'mood', 102)] }),
    relation(50002, 'typed', { columns: [column(1, 'a', 23)] }),
    relation(50003, 'shape', { kind: 'c', columns: [column(1, 'a', 23)] }),
    relation(50004, 'computed', { columns: [column(1, 'id', 23), column(2, 'twice', 23, [1])] }),
    relation(50005, 'other', { schema: 'app', columns: [column(1, 'id', 25)] }),
    relation(50006, 'other_view', { schema: 'app', kind: 'v' }),
    relation(50007, 'borrows', { columns: [column(1, 'id', 104)] }),
    relation(50008, 'parent', { children: [50009] }),
    relation(50009, 'child', { schema: 'app', parents: [50008] }),
  ],
  types: [
    type(101, 'public', 'mood', 'e', []),
    type(102, 'public', '_mood', 'b', [101]),
    type(103, 'public', 'shape', 'c', []),
    type(104, 'app', 'size', 'd', []),
  ],
})
const written = (text: string) => judge(text, { names }).facts.tables_written

test('a dropped type takes the columns that are of it or made of it', () => {
  expect(written('DROP TYPE mood CASCADE')).toEqual(['public.moods'])
  expect(written('DROP TYPE mood')).toEqual([])
})

test('a composite type takes the tables that were made of it, dropped or altered', () => {
  expect(written('DROP TYPE shape CASCADE')).toEqual(['public.typed'])
  expect(written('ALTER TYPE shape DROP ATTRIBUTE a CASCADE')).toContain('public.typed')
})

test('a schema takes its tables, and columns elsewhere of its types', () => {
  expect(written('DROP SCHEMA app CASCADE').toSorted()).toEqual([
    'app.child',
    'app.other',
    'public.borrows',
  ])
})

test('a function may take generated columns, and then values are lost', () => {
  expect(written('DROP FUNCTION f CASCADE')).toEqual(['public.computed'])
  expect(judge('DROP FUNCTION f CASCADE').facts).toMatchObject({ writes: true, bounded: false })
  expect(judge('DROP FUNCTION f').facts.writes).toBe(false)
})

test('what nobody has looked into may take any table, and everything a materialised view', () => {
  expect(written('DROP COLLATION c CASCADE')).toContain('public.typed')
  const mails = relation(50010, 'mails', { kind: 'm' })
  const more = namesOf({ relations: [mails] })
  for (const text of ['DROP FUNCTION f CASCADE', 'DROP VIEW v CASCADE', 'DROP TYPE mood CASCADE'])
    expect(judge(text, { names: more }).facts.tables_written, text).toContain('public.mails')
})

test('partitions and children go with their parent', () => {
  expect(written('DROP TABLE parent')).toEqual(['public.parent', 'app.child'])
  expect(written('ALTER TABLE parent DROP COLUMN id')).toEqual(['public.parent', 'app.child'])
})

test('without a catalogue it is the named tables alone', () => {
  const none = { ...NAMES, catalogue: namesOf({ relations: [] }).catalogue }
  expect(judge('DROP TABLE a, app.b CASCADE', { names: none }).facts.tables_written).toEqual([
    'public.a',
    'app.b',
  ])
})
