import { expect, test } from 'vitest'
import {
  totalCall,
  totalOperator,
} from '../../../../../src/protocols/postgres/sql/lineage/total-functions.ts'
import {
  columnValue,
  constant,
  derived,
  record,
} from '../../../../../src/protocols/postgres/sql/lineage/value.ts'

const column = (kind: string, unknown = true) =>
  columnValue({ label: 'c', relation: 1, column: 1, mask: undefined, unknown }, kind)

test.each([
  ['upper', ['text'], 'text'],
  ['upper', ['varchar'], 'text'],
  ['upper', ['int4range'], undefined],
  ['length', ['bytea'], 'int4'],
  ['count', ['#77777'], 'int8'],
  ['min', ['date'], 'date'],
  ['array_agg', ['uuid'], 'uuid[]'],
  ['array_agg', ['text[]'], undefined],
  ['sum', ['int4'], 'int8'],
  ['sum', ['numeric'], undefined],
  ['avg', ['float8'], undefined],
  ['to_jsonb', ['json'], undefined],
  ['ascii', ['text'], undefined],
  ['pg_sleep', ['float8'], undefined],
  ['constructor', ['text'], undefined],
])('%s(%s): %s', (name, kinds, wanted) => {
  expect(
    totalCall(
      name,
      kinds.map((kind) => column(kind)),
    )?.kind,
  ).toBe(wanted)
})

test('what chooses a part must be a constant', () => {
  expect(totalCall('substr', [column('text'), constant('int4')])).toBeDefined()
  expect(totalCall('substr', [column('text'), column('int4', false)])).toBeUndefined()
  expect(totalCall('substring', [column('text'), constant('literal')])).toBeUndefined()
})

test('a row is as good as what is masked of it', () => {
  expect(totalCall('to_jsonb', [record([column('text'), column('json', false)])])).toBeDefined()
  expect(totalCall('to_jsonb', [record([column('text'), column('json')])])).toBeUndefined()
  expect(totalCall('row_to_json', [record([column('#77777')])])).toBeUndefined()
})

test('operators: comparisons within a type, and texts put together up to a length', () => {
  expect(totalOperator('=', column('int4'), column('int8'))?.kind).toBe('bool')
  expect(totalOperator('=', column('json'), column('json'))).toBeUndefined()
  expect(totalOperator('=', column('numeric'), column('float8'))).toBeUndefined()
  expect(totalOperator('||', column('text'), column('int4'))?.kind).toBe('text')
  expect(totalOperator('||', column('jsonb'), column('text'))).toBeUndefined()
  expect(totalOperator('+', column('int4'), constant('int4'))).toBeUndefined()
  const long = derived([column('text')], { how: 'total', kind: 'text', copies: 64 })
  expect(totalOperator('||', long, column('text'))).toBeUndefined()
})

test('starts_with fails under some collations, and only where there is a value: not under the mask null', () => {
  const hidden = (type: 'null' | 'redact') =>
    columnValue(
      {
        label: 'c',
        relation: 1,
        column: 1,
        unknown: false,
        mask: {
          transform: { type },
          inPredicates: 'deny',
          derived: 'mask',
          monitor: false,
          rule: 'test/0',
          name: 'c',
        },
      },
      'text',
    )
  expect(totalCall('starts_with', [hidden('null'), constant('literal')])).toBeUndefined()
  expect(totalCall('starts_with', [constant('literal'), hidden('null')])).toBeUndefined()
  expect(totalCall('starts_with', [hidden('redact'), constant('literal')])).toBeDefined()
  expect(totalCall('starts_with', [constant('text'), constant('literal')])).toBeDefined()
  // Of a view, whose columns' masks are found later.
  expect(totalCall('starts_with', [column('text'), constant('literal')])).toBeUndefined()
  expect(totalCall('min', [hidden('null')])).toBeDefined()
})
