/**
 * A few hundred tries of each property; with `SLUICE_FUZZ_MINUTES` (`npm run fuzz`: an hour) as many as there is time
 * for. `SLUICE_FUZZ_ONLY` takes the properties whose name begins so; a finding says its seed.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { COPY_DATA, postgres } from './copy-data.ts'
import { fuzz } from './driver.ts'
import { FRAMER } from './framer.ts'
import { NORMALISER } from './normaliser.ts'
import { ROW_DESCRIPTION } from './row-description.ts'
import { SCRAM } from './scram.ts'
import { SPOOL } from './spool.ts'
import { World } from './spool-world.ts'
import { START_UP } from './start-up.ts'

const only = process.env.SLUICE_FUZZ_ONLY ?? ''
const PROPERTIES = [
  ...FRAMER,
  ...START_UP,
  ...SCRAM,
  ...ROW_DESCRIPTION,
  ...COPY_DATA,
  ...NORMALISER,
  ...SPOOL,
].filter(({ name }) => name.startsWith(only))
const minutes = Number(process.env.SLUICE_FUZZ_MINUTES ?? 0)

beforeAll(loadParser)
beforeAll(postgres, 120_000)
afterAll(() => World.end())

if (minutes > 0) {
  test(`${minutes} minutes without a finding`, { timeout: 0 }, async () => {
    const found = await fuzz(PROPERTIES, { minutes, say: (line) => console.info(line) })
    expect(found).toEqual([])
  })
} else {
  test.each(PROPERTIES)('$name', async (one) => {
    await one.assert({ numRuns: fc.readConfigureGlobal().numRuns ?? one.runs })
    expect(one.tried).toBeGreaterThan(0)
  })
}
