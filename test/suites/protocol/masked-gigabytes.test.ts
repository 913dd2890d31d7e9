/** Results of gigabytes under masks: they stream through, and the gateway holds no more than of small ones. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { counted } from '../../lib/counted.ts'
import { forms, LOOK_FOR, maskedResults } from '../../lib/masked-results.ts'
import type { Stage } from '../../lib/stage.ts'
import { WireClient } from '../../lib/wire-client.ts'

const MIB = Number(process.env.SLUICE_MASKED_MIB ?? 2000)
const MORE_MIB_MAX = 150

let stage: Stage

beforeAll(async () => {
  stage = await maskedResults()
}, 120_000)
afterAll(() => stage?.stop())

test.each(forms(MIB))(
  '%s',
  async (what, frames) => {
    const client = await WireClient.login(stage.url('read', 'hidden'))
    const began = Date.now()
    const result = await counted(client, stage.gateway.pid, {
      send: () => client.send(...frames),
      lookFor: LOOK_FOR,
    })
    const seconds = (Date.now() - began) / 1000
    console.log(`${MIB} MiB, ${what}: ${seconds.toFixed(0)} s, +${result.moreMiB.toFixed(0)} MiB`)
    expect(result).toMatchObject({ closed: undefined, seen: ['****'] })
    expect(result.bytes).toBeGreaterThan(0.8 * MIB * 2 ** 20)
    expect(result.moreMiB).toBeLessThan(MORE_MIB_MAX)
    client.end()
  },
  1_800_000,
)
