/** IO. What must hold of the record after any fault: it verifies, nothing was set aside, nothing was lost. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Gateway } from '../lib/gateway.ts'
import { pause } from './load.ts'

/** All that may be said of a run that was killed: what a later one signed for it, and sessions that it did not end. */
const KILLED =
  /^unsigned tail: (events .* were signed only by a later run of the gateway|session .* has no end .* its gateway was killed)/

const MOMENT = /^unsigned tail: (no signed head covers events|events .* came after the last head)/

export interface Verified {
  readonly status: 'intact' | 'unsigned tail'
  readonly leaves: number
  /** Events that were signed by a later run. */
  readonly unsigned: number
}

/** Ask once the record is complete (`expectRecordedOnce`). */
export async function expectProven(gateway: Gateway): Promise<Verified> {
  let report = await verify(gateway)
  // What was recorded in this moment, such as our own questions, is signed within a second.
  for (let i = 0; i < 5 && saysOf(report).some((text) => MOMENT.test(text)); i++) {
    await pause(1000)
    report = await verify(gateway)
  }
  const texts = saysOf(report)
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

interface Report extends Verified {
  readonly findings: readonly { readonly say: string }[]
}

async function verify(gateway: Gateway): Promise<Report> {
  const { code, stdout, stderr } = await gateway.cli(['audit', 'verify', '--json'])
  if (stdout === '') throw new Error(`audit verify: ${code} ${stderr}`)
  return JSON.parse(stdout) as Report
}

function saysOf({ findings }: Report): string[] {
  return findings.map(({ say }) => say)
}

/** A metric without labels. */
export async function metric(gateway: Gateway, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.controlUrl}/metrics`)).text()
  const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
  if (found === undefined) throw new Error(`no metric ${name}`)
  return Number(found)
}
