import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('a class once found stays, and plain EXPLAIN leaves out only what does not happen', () => {
  expect(classes('EXPLAIN DELETE FROM users WHERE evil()')).toBe('read execute')
  expect(classes('EXPLAIN SELECT * INTO x FROM users')).toBe('read')
})

test('planting code writes nothing, running it may', () => {
  expect(judge("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''").facts.writes).toBe(false)
  expect(judge('SELECT evil()')).toMatchObject({
    facts: { writes: true, bounded: false },
    effect: { dirties: true },
  })
})
