import { expect, test } from 'vitest'
import { AtOnce } from '../../src/control/at-once.ts'

test('each caller has so many running, and room again when one ends, however it ends', async () => {
  const atOnce = new AtOnce(2)
  const ends: (() => void)[] = []
  const fails: (() => void)[] = []
  const task = () =>
    new Promise<string>((resolve, reject) => {
      ends.push(() => resolve('done'))
      fails.push(() => reject(new Error('failed')))
    })
  const [one, two] = [atOnce.run('a', task)!, atOnce.run('a', task)!]
  expect(atOnce.run('a', task)).toBeUndefined()
  expect(atOnce.run('b', task)).toBeDefined()
  ends[0]!()
  expect(await one).toBe('done')
  const third = atOnce.run('a', task)!
  expect(atOnce.run('a', task)).toBeUndefined()
  fails[1]!()
  await expect(two).rejects.toThrow('failed')
  expect(atOnce.run('a', task)).toBeDefined()
  ends[3]!()
  expect(await third).toBe('done')
})
