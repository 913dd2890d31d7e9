import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Names } from '../../../src/protocols/postgres/statements.ts'

test('a name that was asked for counts in its own segment and is unsettled in later ones', () => {
  const names = new Names<string>(10)
  names.ask('s', 'A', 1)
  expect([names.find('s', 1), names.find('s', 2)]).toEqual(['A', 'unsettled'])
  names.confirm('s', 'A')
  expect(names.find('s', 2)).toBe('A')
})

test('a name that the target did not make keeps its former meaning', () => {
  const names = new Names<string>(10)
  names.confirm('s', 'A')
  names.ask('s', 'B', 2)
  names.forget('s', 'B')
  expect(names.find('s', 3)).toBe('A')
})

test('of two that were asked for, the answer to the first does not settle the second', () => {
  const names = new Names<string>(10)
  names.ask('', 'A', 1)
  names.ask('', 'B', 1)
  names.confirm('', 'A')
  expect(names.find('', 1)).toBe('B')
  expect(names.find('', 2)).toBe('unsettled')
  names.forget('', 'B')
  expect(names.find('', 2)).toBe('A')
})

test('what is let go of is unknown, and what is asked for at that time is not touched', () => {
  const names = new Names<string>(10)
  names.confirm('s', 'A')
  names.confirm('t', 'T')
  names.ask('s', 'B', 2)
  names.delete('s')
  expect(names.find('s', 2)).toBe('B')
  names.clear()
  expect(names.find('t', 2)).toBeUndefined()
  names.confirm('s', 'B')
  expect(names.find('s', 3)).toBe('B')
})

test('another object for one meaning takes its place, asked for or settled', () => {
  const names = new Names<string>(10)
  names.confirm('s', 'A')
  names.ask('t', 'T', 1)
  names.replace('s', 'A', 'A2')
  names.replace('t', 'T', 'T2')
  names.replace('t', 'X', 'Y')
  expect([names.find('s', 1), names.find('t', 1)]).toEqual(['A2', 'T2'])
})

test('what took the place of one that was asked for is settled by its answer', () => {
  const names = new Names<string>(10)
  names.ask('s', 'A', 1)
  names.replace('s', 'A', 'B')
  names.replace('s', 'B', 'C')
  names.confirm('s', 'A')
  expect(names.find('s', 2)).toBe('C')
  names.ask('s', 'D', 3)
  names.replace('s', 'D', 'E')
  names.forget('s', 'D')
  expect(names.find('s', 4)).toBe('C')
  names.ask('t', 'F', 5)
  names.replace('t', 'F', 'G')
  names.forget('t', 'F')
  expect(names.find('t', 6)).toBeUndefined()
})

test('only what outlives a transaction is kept', () => {
  const names = new Names<string>(10)
  for (const name of ['a', 'b']) names.confirm(name, name)
  names.keepOnly((value) => value === 'b')
  expect([names.find('a', 1), names.find('b', 1)]).toEqual([undefined, 'b'])
})

test('names of properties are names like others, and there is a limit', () => {
  const names = new Names<string>(2)
  expect(names.find('__proto__', 1)).toBeUndefined()
  expect(names.find('constructor', 1)).toBeUndefined()
  names.confirm('__proto__', 'A')
  expect(names.isFull).toBe(false)
  names.ask('b', 'B', 1)
  expect(names.isFull).toBe(true)
})

test('names mean what a target that works off the same messages in order says', () => {
  const event = fc.record({ name: fc.constantFrom('', 'a'), fails: fc.boolean() })
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const names = new Names<number>(100)
      const target = new Map<string, number>()
      for (const [at, { name }] of events.entries()) names.ask(name, at, at)
      events.forEach(({ name, fails }, at) => {
        if (fails) names.forget(name, at)
        else {
          target.set(name, at)
          names.confirm(name, at)
        }
      })
      for (const name of ['', 'a']) expect(names.find(name, -1)).toBe(target.get(name))
    }),
  )
})
