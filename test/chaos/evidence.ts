/** IO. What must hold of the record after any fault: it verifies, nothing was set aside, nothing was lost. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Gateway } from '../lib/gateway.ts'

/** All that may be said of a run that was killed: what a later one signed for it, and sessions that it did not end. */
const KILLED =
  /^unsigned tail: (events .* were signed only by a later run of the gateway|session .* has no end .* its gateway was killed)/

export interface Verified {
  readonly status: 'intact' | 'unsigned tail'
  readonly leaves: number
  /** Events that were signed by a later run. */
  readonly unsigned: number
}

/** Ask once the record is complete (`expectRecordedOnce`). */
export async function expectProven(gateway: Gateway): Promise<Verified> {
  const { stdout, stderr } = await gateway.cli(['audit', 'verify', '--json'])
  const report = JSON.parse(stdout || `{"findings":[${JSON.stringify({ say: stderr })}]}`)
  const texts: string[] = report.findings.map(({ say }: { say: string }) => say)
  expect(texts.filter((text) => !KILLED.test(text))).toEqual([])
  expect(report.status).toBe(texts.length === 0 ? 'intact' : 'unsigned tail')
  const spool = readdirSync(join(gateway.data, 'spool'))
  expect(spool.filter((name) => name.endsWith('.bad'))).toEqual([])
  expect(await metric(gateway, 'sluice_events_lost_total')).toBe(0)
  expect(gateway.output()).not.toMatch(
    /set aside|was changed after it was written|cannot be continued/,
  )
  return report
}

/** A metric without labels. */
export async function metric(gateway: Gateway, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.controlUrl}/metrics`)).text()
  const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  if (found === undefined) throw new Error(`no metric ${name}`)
  return Number(found)
}
