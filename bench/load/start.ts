/**
 * IO. P15: from `sluice serve` to an answer of /readyz, on a new data folder and on one that has been used. The engine of the
 * embedded store starts with the first record, so it is no part of either.
 */
import { startGateway } from '../../test/lib/gateway.ts'
import { median } from '../judge.ts'
import type { Work } from './works.ts'

const STARTS = 7
const TARGET = { host: '127.0.0.1', port: 1 } as const

export const start: Work = async (_, { isQuick }) => {
  if (isQuick) return { results: [], absolute: {} }
  const fresh: number[] = []
  const again: number[] = []
  for (let at = 0; at < STARTS; at++) {
    const began = performance.now()
    const gateway = await startGateway({
      connections: { c: { server: TARGET, database: 'd', user: 'u', auth: ['trust'] } },
    })
    try {
      fresh.push((performance.now() - began) / 1000)
      await gateway.kill('SIGTERM')
      const anew = performance.now()
      await gateway.restart()
      again.push((performance.now() - anew) / 1000)
    } finally {
      await gateway.stop()
    }
  }
  const shown = (values: readonly number[]): number => Math.round(median(values) * 100) / 100
  return {
    results: [
      { name: 'P15 ready on a new folder, s', values: fresh },
      { name: 'P15 ready on a used one, s', values: again },
    ],
    absolute: { 'P15 new folder, s': shown(fresh), 'P15 used folder, s': shown(again) },
  }
}
