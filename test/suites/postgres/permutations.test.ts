import { expect, test } from 'vitest'
import { inTime, Shown } from './permutations.ts'

const HEAD = 'Parsed test spec with 2 sessions\n\nstarting permutation: a b\nstep a: LOCK t;\n'
const NOTICES = 's2: NOTICE:  one\ns2: NOTICE:  two\n'
const WAITS = 'step b: \n    UPDATE t;\n <waiting ...>\n'
const END = 'step c: COMMIT;\nstep b: <... completed>\n'
const early = HEAD + NOTICES + WAITS + END

test('a notice that the tester had a moment too late stands where it stands in time', () => {
  const [one, two] = NOTICES.split(/(?<=\n)/)
  for (const late of [HEAD + WAITS + NOTICES + END, HEAD + one + WAITS + two + END])
    expect(inTime(late)).toBe(early)
  expect(inTime(early)).toBe(early)
})

test('one that was kept back until its step went on, was lost, or came in another order does not', () => {
  const [one = '', two = ''] = NOTICES.split(/(?<=\n)/)
  const kept = `step c: COMMIT;\n${NOTICES}step b: <... completed>\n`
  for (const wrong of [
    HEAD + WAITS + kept,
    HEAD + WAITS + one + END,
    HEAD + WAITS + two + one + END,
  ]) {
    const shown = new Shown()
    shown.add(early)
    expect(shown.unseen(HEAD + WAITS + NOTICES + END)).toEqual([])
    expect(shown.unseen(wrong)).toHaveLength(1)
    shown.add(wrong)
    expect(shown.unseen(wrong)).toEqual([])
  }
})

test('a text with more or fewer permutations was not seen at all', () => {
  const shown = new Shown()
  shown.add(early)
  expect(shown.unseen(`${early}\nstarting permutation: b a\n`)).toHaveLength(1)
})
