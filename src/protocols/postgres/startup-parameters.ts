/**
 * Pure. Which parameters of a client's start-up packet go on to the target: the same judgement as `SET` gets
 * (semantics §1), because a start-up packet, `options=-c …` and SET are the same thing.
 */
import { GatewayError } from '../../base/errors.ts'
import type { Grant } from '../../decide/grant.ts'
import type { Claim } from '../protocol.ts'
import { judgeParameter } from './sql/parameters.ts'
import type { ReplicationMode } from './sql/replication.ts'

/** Meant for the server's start-up itself, and answered by the gateway. */
const OWN = new Set(['user', 'database', 'options', 'replication'])

/**
 * Start-up parameters towards the target, user and database of the grant included. Throws
 * GW_CLASS_DENIED for a parameter that no role of the identity may set, replication without `admin` among them.
 */
export function startupParameters(claim: Claim, grant: Grant): ReadonlyMap<string, string> {
  const { parameters } = claim
  const mode = replicationMode(parameters)
  if (mode !== 'none' && !grant.allow.has('admin')) {
    throw new GatewayError('GW_CLASS_DENIED', 'replication', {
      say: 'A replication connection is of class admin, which no role of this identity allows.',
    })
  }
  const { identityParameter } = grant.connection
  const wanted = new Map<string, string>()
  for (const [name, value] of optionsOf(parameters.get('options') ?? '')) wanted.set(name, value)
  for (const [name, value] of parameters) {
    if (!OWN.has(name) && !name.startsWith('_pq_.')) wanted.set(name, value)
  }
  const sent = new Map([
    ['user', grant.credential.user],
    ['database', grant.database],
    // Gateway and target must read the same bytes: what the client does not ask for, we do.
    ['client_encoding', 'UTF8'],
  ])
  for (const [name, value] of wanted) {
    const key = name.toLowerCase()
    // Any encoding may be asked for: texts with bytes that it could change are opaque (semantics §1).
    if (key === 'application_name' && key === identityParameter) continue
    if (key !== 'client_encoding') check(name, value, grant)
    sent.set(key === 'client_encoding' ? key : name, value)
  }
  if (mode !== 'none') sent.set('replication', mode === 'physical' ? 'true' : 'database')
  // In the start-up packet, so that RESET and DISCARD return to it.
  if (identityParameter !== undefined) sent.set(identityParameter, grant.identity.subject)
  return sent
}

function check(name: string, value: string, grant: Grant): void {
  const judged = OWN.has(name.toLowerCase())
    ? // `options=-c user=…` would stand in the packet beside our own.
      'refused'
    : judgeParameter(name, value, {
        identityParameter: grant.connection.identityParameter,
        startup: true,
      })
  if (judged === 'harmless' || (judged === 'admin' && grant.allow.has('admin'))) return
  throw new GatewayError('GW_CLASS_DENIED', `start-up parameter ${name}`, {
    say: `The start-up parameter "${name.substring(0, 63)}" may not be set by this identity.`,
  })
}

/** As PostgreSQL reads the parameter; throws GW_CLASS_DENIED for what it would not understand. */
export function replicationMode(parameters: ReadonlyMap<string, string>): ReplicationMode {
  const said = parameters.get('replication')
  if (said === undefined || /^(of|off|f|fa|fal|fals|false|n|no|0)$/i.test(said)) return 'none'
  if (said === 'database') return 'database'
  if (/^(on|t|tr|tru|true|y|ye|yes|1)$/i.test(said)) return 'physical'
  throw new GatewayError('GW_CLASS_DENIED', 'replication', {
    say: 'The start-up parameter "replication" is true, false or database.',
  })
}

/**
 * `-c name=value` and `--name=value`, with PostgreSQL's own splitting: blanks part words, a backslash takes the
 * next character as it is (pg_split_opts). Anything else is refused, not guessed.
 */
function optionsOf(options: string): [string, string][] {
  const words = (options.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((word) =>
    word.replace(/\\(.)/gs, '$1'),
  )
  const pairs: [string, string][] = []
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!
    if (word === '-c') word = words[++i] ?? ''
    else if (word.startsWith('--') || word.startsWith('-c')) word = word.substring(2)
    else word = ''
    const equals = word.indexOf('=')
    if (equals < 1) {
      throw new GatewayError('GW_CLASS_DENIED', 'start-up options', {
        say: 'Of start-up options only `-c name=value` is understood.',
      })
    }
    // `--some-name=` is the same as some_name.
    pairs.push([word.substring(0, equals).replaceAll('-', '_'), word.substring(equals + 1)])
  }
  return pairs
}
