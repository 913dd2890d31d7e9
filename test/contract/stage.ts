/**
 * IO (files). What a worker lends to a relay, for plays: the real policies, decision, analysis, masks and turn; a
 * catalogue from the fixture; wires and recorder in memory.
 */
import { Handshake } from '../../src/accept/handshake.ts'
import type { Clock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/config/config.ts'
import { decide } from '../../src/decide/decide.ts'
import { admit, type Grant } from '../../src/decide/grant.ts'
import { compilePolicies, type Guard, type PolicySet } from '../../src/decide/policy.ts'
import { KNOWN_DETECTORS } from '../../src/mask/detect.ts'
import { findingsOf } from '../../src/mask/findings.ts'
import { CatalogueStore, catalogueKey } from '../../src/protocols/postgres/catalogues.ts'
import type { PostgresUpstream } from '../../src/protocols/postgres/dial.ts'
import { ParseThread } from '../../src/protocols/postgres/parse-pool.ts'
import type { PostgresShared } from '../../src/protocols/postgres/session-masks.ts'
import { lookFrom } from '../../src/protocols/postgres/sql/catalogue-changes.ts'
import { buildCatalogue } from '../../src/protocols/postgres/sql/catalogue-read.ts'
import { FactsCache } from '../../src/protocols/postgres/sql/facts-cache.ts'
import type { LiveSession, RelayParts, RelayWorker } from '../../src/protocols/protocol.ts'
import { Turn } from '../../src/relay/turn.ts'
import { IDENTITY } from '../lib/identity.ts'
import { readFixture } from './fixture.ts'
import type { Columns } from './frames.ts'
import { MemoryRecorder, type MemoryWire } from './memory.ts'
import type { Transcript } from './transcript.ts'

export const fixture = readFixture()
/** As `grantOf` has it. */
export const SHOP_KEY = catalogueKey('shop', 'shop', [{ host: '10.0.0.5', port: 5432 }])

let epochs = 1
const catalogue = buildCatalogue(fixture.catalogue, epochs)!
export const { seen } = lookFrom(fixture.look, undefined)!

export const columns: Columns = {
  find(path) {
    const parts = path.split('.')
    const [schema, table] = parts.length === 3 ? [parts[0]!, parts[1]!] : ['public', parts[0]!]
    const relation = catalogue.relationByName(schema, table)
    const column = relation?.columns.find(({ name }) => name === parts.at(-1))
    if (relation === undefined) throw new Error(`no relation ${path}`)
    return { relation: relation.oid, column: column?.number ?? 0 }
  },
}

/** Time stands still in a play, so that a catalogue is old only once somebody has changed it. */
const STILL: Clock = { microseconds: () => 0, elapsed: () => 0 }

/** Plays share caches by epoch: none may stand for two catalogues. */
class Catalogues extends CatalogueStore {
  override nextEpoch(): number {
    epochs += 1
    return epochs
  }
}

const recorder = new MemoryRecorder()
const turn = new Turn({
  recorder,
  gathers: false,
  stallMsMax: 1000,
  onRecorded() {},
  onStall() {},
  onLost() {},
})
const facts = new FactsCache({ entriesMax: 10_000 })
const masks = new Map()
/** A thread that cannot start: what it is asked, it cannot tell. */
const parser = new ParseThread({ entry: '/nowhere/parse.js' })

const grants = new Map<string, Grant>()

function grantOf(allow: string): Grant {
  const known = grants.get(allow)
  if (known !== undefined) return known
  const text = `connections:
  shop:
    type: postgres
    address: 10.0.0.5:5432
    database: shop
    credential: { user: app, password: { env: P } }
roles:
  agents: { members: ["workload:*:*"], connections: ["*"], allow: [${allow.split(' ').join(', ')}] }
`
  const read = readConfig({ path: '/sluice.yaml', text, cores: 1 })
  if ('problems' in read) throw new Error(JSON.stringify(read.problems))
  const target = { connection: 'shop', database: undefined }
  const found = admit(read.config, IDENTITY, target)
  if (found === undefined) throw new Error('no grant')
  grants.set(allow, found)
  return found
}

const policies = new Map<string, PolicySet>()

/** Each text has its own version, as a reload gives one. */
export function policiesOf(body: string): PolicySet {
  const known = policies.get(body)
  if (known !== undefined) return known
  const files = body.split(/^ *---$/m).map((part, at) => {
    const inside = part.replaceAll(/^ {2}/gm, '')
    const rules = /^rules:/m.test(inside) ? '' : 'rules: []\n'
    const head = `apiVersion: sluice/v1\nkind: Policy\nname: guard${at === 0 ? '' : at}\n`
    return { path: `/p${at}.yaml`, text: `${head}${rules}${inside}\n` }
  })
  const version = policies.size + 1
  const result = compilePolicies(files, { version, knownDetectors: KNOWN_DETECTORS })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  policies.set(body, result.policies)
  return result.policies
}

export interface Stage {
  readonly parts: RelayParts<PostgresUpstream>
  readonly shared: PostgresShared & { readonly catalogues: CatalogueStore }
  readonly recorder: MemoryRecorder
  readonly turn: Turn
  readonly warnings: string[]
  readonly signals: string[]
  reload(policy: string): void
}

/** Everything a relay of this transcript needs. One stage at a time: recorder and turn are shared. */
export function stage(
  transcript: Transcript,
  wires: { client: MemoryWire; target: MemoryWire },
): Stage {
  const grant = grantOf(transcript.allow)
  let now = policiesOf(transcript.policy)
  const catalogues = new Catalogues(STILL)
  catalogues.put(SHOP_KEY, {
    catalogue,
    seen,
    mark: catalogues.mark(SHOP_KEY),
  })
  const warnings: string[] = []
  const signals: string[] = []
  const worker: RelayWorker = {
    statementBytesMax: transcript.statementBytesMax,
    responseBytesMax: 1 << 20,
    get policyVersion() {
      return now.version
    },
    guard: () => now.guard(grant),
    decide: (guard: Guard, action, { sessionId }) =>
      decide(guard, action, {
        grant,
        now: 0,
        findings: guard.readsFindings ? findingsOf(action, guard.detectors) : [],
        session: {
          id: sessionId,
          clientIp: '127.0.0.1',
          ageSeconds: 0,
          statements: 0,
          rows: 0,
          bytes: 0,
          maskedValues: 0,
        },
      }),
    shape: (shape) => recorder.shape(shape),
    maskKey: Buffer.alloc(32, 7),
    catalogueChanged() {},
    count: {
      action() {},
      latency() {},
      upstream() {},
      masked() {},
      signal: (name) => signals.push(name),
    },
    now: () => 0,
    warn: (say, fields) => warnings.push(`${say} ${JSON.stringify(fields)}`),
  }
  const client = new Handshake(wires.client, 1 << 16)
  const live: LiveSession = {
    context: {
      grant,
      sessionId: '01SESSION',
      address: '127.0.0.1',
      openedAt: 0,
      statements: 0,
      rows: 0,
      bytes: 0,
      maskedValues: 0,
    },
    end() {},
    stall() {},
    cancel: () => undefined,
    isIdle: () => true,
    heldBytes: () => 0,
    lastActive: 0,
  }
  const upstream: PostgresUpstream = {
    wire: wires.target,
    rest: Buffer.alloc(0),
    statuses: Buffer.alloc(0),
    parameters: new Map(),
    pid: 4711,
    cancel: async () => {},
    status: 0x49,
  }
  const claim = {
    connection: 'shop',
    database: undefined,
    credential: '',
    claimedUser: 'ada',
    claimedJob: { id: '', run: '', agent: '' },
    parameters: new Map(
      transcript.replication === '' ? [] : [['replication', transcript.replication]],
    ),
    cancelKeyBytes: 4,
  }
  const recording = recorder.open()
  return {
    parts: { client, upstream, claim, grant, recording, turn, live, worker },
    shared: { catalogues, facts, masks, parser },
    recorder,
    turn,
    warnings,
    signals,
    reload: (policy) => {
      now = policiesOf(policy)
    },
  }
}
