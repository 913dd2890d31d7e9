/** Many short connections: none fails, and no descriptor is lost. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { figure, until } from './load.ts'
import { descriptorsOf, type Place, residentMiB, sessionsAt, startPlace } from './place.ts'

const COUNT = Number(process.env.SLUICE_CHAOS_CONNECTIONS ?? 3000)
const PARALLEL = 32

let place: Place
beforeAll(async () => {
  place = await startPlace()
})
afterAll(() => place?.stop())

/** Returns what went wrong. */
async function connectMany(count: number): Promise<string[]> {
  const errors: string[] = []
  let left = count
  const one = async (): Promise<void> => {
    const client = await place.client()
    const { rows, error } = await client.query('SELECT 1')
    if (rows[0] !== '1') errors.push(error ?? 'no row')
    await client.close()
  }
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left--
      await one().catch((error: unknown) => errors.push(String(error)))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane))
  return errors
}

test(
  `${COUNT} connections, each with a login and a query`,
  async () => {
    const { gateway, server } = place
    // What is opened once, and stays, is open afterwards.
    expect(await connectMany(200)).toEqual([])
    await until(async () => (await sessionsAt(server)) <= 1, 'the target to be left alone')
    const [before, memory] = [descriptorsOf(gateway.pid), residentMiB(gateway.pid)]
    const since = performance.now()
    expect(await connectMany(COUNT)).toEqual([])
    const seconds = (performance.now() - since) / 1000
    await until(() => descriptorsOf(gateway.pid) <= before + 3, 'descriptors to be given back')
    const grown = Math.round(residentMiB(gateway.pid) - memory)
    figure(`${COUNT} connections in ${seconds.toFixed(1)} s, resident memory +${grown} MiB`)
  },
  180_000 + COUNT * 20,
)
