/** Not a test: places (running.ts) for the tests of one file, each of them closed behind the test that made it. */
import { afterEach } from 'vitest'
import { Place } from './running.ts'

/** To be called once, at the top of the file. */
export function placeMaker(): () => Place {
  const places: Place[] = []
  afterEach(async () => {
    for (const made of places.splice(0)) await made.close()
  })
  return () => {
    const made = new Place()
    places.push(made)
    return made
  }
}
