/** Pure. What the index of an evidence bundle shows, collected from recorded rows; of long sessions a part, and it says so. */
import type { RowValue, RowValues } from './row-values.ts'

/** Actions that are listed; all of them are in the evidence. */
export const ACTIONS_MAX = 5000
const TEXT_MAX = 4000

export interface BundleAction {
  readonly seq: number
  readonly at: number
  readonly facts: readonly (readonly [name: string, value: string])[]
  outcome: string
}

export interface BundleIndex {
  scope: string
  session: string
  made: number
  keys: number
  leaves: number
  heads: number
  /** Heads that others keep, as JSON. */
  readonly known: string[]
  /** Claims of who it was, from the first row of the session. */
  claims: readonly (readonly [name: string, value: string])[]
  readonly moments: string[]
  readonly actions: Map<number, BundleAction>
  actionsLeft: number
  /** Requests that were asked for. */
  readonly requests: Set<string>
  /** Versions that decided. */
  readonly versions: Set<string>
  /** `version file` → text. */
  readonly policies: Map<string, string>
  readonly sealed: string[]
}

export function newIndex(): BundleIndex {
  return {
    ...{ scope: '', session: '', made: 0, keys: 0, leaves: 0, heads: 0, known: [], claims: [] },
    ...{ moments: [], actions: new Map(), actionsLeft: 0, requests: new Set() },
    ...{ versions: new Set(), policies: new Map(), sealed: [] },
  }
}

const CLAIMS = [
  ...['session_id', 'instance', 'protocol', 'connection', 'target_database', 'client_ip'],
  ...['subject', 'kind_of_identity', 'owner', 'groups', 'roles'],
  ...['job', 'run', 'agent', 'parent_agent', 'job_verified'],
]
const ACTION = [
  ...['class', 'verb', 'objects', 'statement', 'params', 'verdict', 'rule', 'policy_version'],
  ...['request_id', 'facts'],
]

export function takeRows(index: BundleIndex, rows: readonly RowValues[]): void {
  for (const row of rows) take(index, row)
}

function take(index: BundleIndex, row: RowValues): void {
  const kind = String(row.kind)
  if (kind === 'policy') {
    takePolicy(index, row)
    return
  }
  if (row.protocol !== 'control' && index.claims.length === 0)
    index.claims = CLAIMS.map((name) => [name, shown(row[name])])
  if (kind === 'action') takeAction(index, row)
  else if (kind === 'outcome') takeOutcome(index, row)
  else if (kind === 'sealed') index.sealed.push(`${row.seq}: ${shown(row.text)}`)
  else if (kind !== 'response')
    index.moments.push(`${moment(row)} ${row.seq} ${kind} ${shown(row.status)} ${shown(row.text)}`)
}

function takeAction(index: BundleIndex, row: RowValues): void {
  index.versions.add(String(row.policy_version))
  if (row.request_id !== '') index.requests.add(String(row.request_id))
  if (index.actions.size >= ACTIONS_MAX) {
    index.actionsLeft++
    return
  }
  const facts = ACTION.map((name) => [name, shown(row[name])] as const)
  const [seq, at] = [Number(row.seq), Number(row.ts)]
  index.actions.set(seq, { seq, at, facts, outcome: 'unknown: no outcome is recorded' })
}

function takeOutcome(index: BundleIndex, row: RowValues): void {
  const action = index.actions.get(Number(row.action_seq))
  if (action === undefined) return
  const { status, error, rows, masked, upstream_us, gateway_us } = row
  const numbers = `${rows} rows, masked ${shown(masked)}, target ${upstream_us} µs, gateway ${gateway_us} µs`
  action.outcome = `${shown(status)} ${shown(error)}: ${numbers}`
}

function takePolicy(index: BundleIndex, row: RowValues): void {
  try {
    const said = JSON.parse(String(row.text))
    if (typeof said?.text === 'string')
      index.policies.set(`${row.instance} version ${row.status}: ${said.file}`, said.text)
  } catch {
    // A row that was changed: verify says so.
  }
}

export function moment(row: RowValues): string {
  return timeOf(Number(row.ts))
}

/** Microseconds since 1970, wherever they come from. */
export function timeOf(microseconds: number): string {
  const at = new Date(microseconds / 1000)
  return Number.isNaN(at.getTime()) ? '?' : at.toISOString()
}

function shown(value: RowValue | undefined): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '')
  return text.length > TEXT_MAX
    ? `${text.substring(0, TEXT_MAX)}… (${text.length} characters)`
    : text
}
