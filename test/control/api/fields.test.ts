import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fields } from '../../../src/control/api/fields.ts'

const NAMES = ['name', 'list', 'kind']

describe('the fields of a body', () => {
  test('are read by kind; null is absent', () => {
    const fields = new Fields({ name: 'ann', list: ['a', 'b'], kind: null }, NAMES)
    expect(fields.name('name')).toBe('ann')
    expect(fields.names('list')).toEqual(['a', 'b'])
    expect(fields.oneOf('kind', ['human'])).toBeUndefined()
    expect(fields.problems).toEqual([])
  })

  test('that are unknown are problems, with the nearest known name', () => {
    expect(new Fields({ nam: 1 }, NAMES).problems).toEqual(['unknown field (did you mean name?)'])
    expect(new Fields(JSON.parse('{"__proto__": 1}'), NAMES).problems).toHaveLength(1)
  })

  test('of a body that is no object are all absent', () => {
    for (const body of [undefined, null, 1, 'x', ['name'], true]) {
      const fields = new Fields(body, NAMES)
      expect(fields.problems).toEqual(['expected a JSON object'])
      expect(fields.text('name')).toBeUndefined()
    }
  })

  test('hold no control characters where they are names', () => {
    for (const name of ['a\u0000', 'a\nb', '\u001b[2J', 'a\u202eb', 'a\u200b', '\ud800']) {
      const fields = new Fields({ name, list: [name] }, NAMES)
      expect(fields.name('name')).toBeUndefined()
      expect(fields.names('list')).toBeUndefined()
      expect(fields.problems).toHaveLength(2)
    }
  })

  test('never throw and never quote a value', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const fields = new Fields({ name: value, list: value, kind: value }, NAMES)
        fields.name('name')
        fields.names('list')
        fields.oneOf('kind', ['human', 'workload'])
        for (const problem of fields.problems)
          expect(problem).toMatch(/^(name|list|kind): expected /)
      }),
    )
  })
})
