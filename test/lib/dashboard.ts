/** IO. The Grafana dashboard of `deploy/grafana`, as Grafana would read it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const GRAFANA = fileURLToPath(new URL('../../deploy/grafana', import.meta.url))

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly targets?: readonly Target[]
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
}

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
  readonly datasource: { readonly type: string; readonly uid: string }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string | { readonly query: string }
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly templating: { readonly list: readonly Variable[] }
  readonly panels: readonly Panel[]
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(join(GRAFANA, 'dashboards/sluice.json'), 'utf8')) as Dashboard
}

/** An expression as Grafana sends it, with every variable at “All”. Throws where one is left over. */
export function filledIn(expression: string, rateInterval: string): string {
  const text = expression
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll(/\$(instance|connection)\b/g, '.*')
  if (text.includes('$')) throw new Error(`an unknown variable stands in ${text}`)
  return text
}
