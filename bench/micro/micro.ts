/** IO. The measurements that need no server. */
import type { Findings } from '../load/works.ts'
import { lineage } from './lineage.ts'
import { records } from './recorder.ts'
import { verdicts } from './verdict.ts'

export const MICRO: Readonly<Record<string, (isQuick: boolean) => Promise<Findings>>> = {
  P12: records,
  P13: verdicts,
  lineage,
}
