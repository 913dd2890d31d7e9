/**
 * IO. The sequence of every request to the control listener, top to bottom:
 *
 *   meant for us (Host, Origin) → open pages → route → who (bearer) → may they → recorded → done
 *
 * Handlers supply what is done, never the order of the checks before it.
 */
import { isWithin } from '../../base/cidr.ts'
import { GatewayError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Config } from '../../config/shape.ts'
import { apiRoles } from '../../decide/grant.ts'
import { type Attempt, isOperatorToken } from '../../identify/identify.ts'
import type { Identity } from '../../identify/identity.ts'
import { OPERATOR_ID } from '../../identify/token.ts'
import { type Answer, json, problem, problemOf, text } from '../answer.ts'
import { AtOnce } from '../at-once.ts'
import type { Request } from '../http.ts'
import { METRICS_TYPE } from '../metrics.ts'
import { misdirected } from '../origin.ts'
import { type Permission, permitsOperator, permitsRoles } from '../permit.ts'
import { type HouseParts, houseRoutes } from './house.ts'
import { describeApi } from './openapi.ts'
import { type PolicyParts, policyRoutes } from './policies.ts'
import { type PrivacyParts, privacyRoutes } from './privacy.ts'
import { type QuestionParts, questionRoutes } from './questions.ts'
import { type RecordParts, recordRoutes } from './records.ts'
import { replayRoutes } from './replay.ts'
import { type Call, type Caller, findRoute, type Route } from './route.ts'
import { type TokenParts, tokenRoutes } from './tokens.ts'
import { type UnsealParts, unsealRoutes } from './unseal.ts'

export interface ApiParts
  extends HouseParts,
    RecordParts,
    QuestionParts,
    TokenParts,
    PolicyParts,
    PrivacyParts,
    UnsealParts {
  config(): Config
  /** SHA-256 of the host operator's secret. */
  readonly operatorHash: Uint8Array
  /** Throws GW_CREDENTIAL_WRONG and its kin, after the delay. */
  identify(attempt: Attempt): Promise<Identity>
  /** A credential was refused; best effort. */
  recordRefused(address: string, status: string): void
  /** undefined: it is ready. */
  notReady(): string | undefined
  metrics(): Promise<string>
  readonly log: Logger
}

/** Long questions of one caller: the store works on three at once, ten seconds each, and answers others within a minute. */
const LONG_AT_ONCE = 12

/** Never rejects. */
export function api(parts: ApiParts): (request: Request) => Promise<Answer> {
  const routes = [
    houseRoutes,
    tokenRoutes,
    recordRoutes,
    replayRoutes,
    questionRoutes,
    policyRoutes,
    privacyRoutes,
    unsealRoutes,
  ].flatMap((of) => of(parts))
  const long = new AtOnce(LONG_AT_ONCE)
  return async (request) => {
    try {
      return await serve(request, { routes, long }, parts)
    } catch (error) {
      const failure = GatewayError.from(error)
      if (failure.spec.side === 'gateway')
        parts.log.error({ code: failure.code, path: request.path }, failure.message)
      return problemOf(failure)
    }
  }
}

async function serve(
  request: Request,
  { routes, long }: { readonly routes: readonly Route[]; readonly long: AtOnce },
  parts: ApiParts,
): Promise<Answer> {
  const { headers, method, path } = request
  if (request.repeated.has('host') || request.repeated.has('authorization'))
    return problem(400, 'A header that may come once came twice.')
  const sent = { host: headers.get('host'), origin: headers.get('origin') }
  const elsewhere = misdirected(sent, parts.config().control.publicUrl)
  if (elsewhere !== undefined) return problem(421, elsewhere)
  const open = await openPage(request, routes, parts)
  if (open !== undefined) return open
  const found = findRoute(routes, method, path)
  // Who is not known learns nothing about which paths exist.
  const caller = await callerOf(request, parts)
  if (caller === undefined) return problem(401, 'Send a token: Authorization: Bearer slc_….')
  if (found === undefined) return problem(404, 'There is nothing here.')
  if ('allow' in found) {
    const answer = problem(405, `This path answers ${found.allow.join(', ')}.`)
    return { ...answer, headers: { ...answer.headers, allow: found.allow.join(', ') } }
  }
  const { route, id } = found
  const use = { status: 'api', text: `${method} ${route.path.replace('{id}', id)}` }
  if (!may(caller, route.needs)) {
    parts.record(caller, { ...use, status: 'api-refused' })
    return problem(403, 'No role of this identity allows that.', { needs: route.needs })
  }
  const body = readBody(request)
  if (body === MALFORMED) return problem(400, 'Send JSON with content-type application/json.')
  if (route.isLong !== true) return done(request, { route, id, caller, body, use }, parts)
  const answer = long.run(caller.credentialId, () =>
    done(request, { route, id, caller, body, use }, parts),
  )
  return answer ?? problem(429, `You have ${LONG_AT_ONCE} questions running. Ask when one is done.`)
}

async function done(
  { query, gone }: Request,
  { route, id, caller, body, use }: Permitted,
  parts: ApiParts,
): Promise<Answer> {
  // Before it is done: what cannot be recorded does not happen.
  if (route.recordsItself !== true) parts.record(caller, use)
  return route.handle({ caller, id, query, body, ...(gone === undefined ? {} : { gone }) })
}

interface Permitted extends Pick<Call, 'caller' | 'id' | 'body'> {
  readonly route: Route
  /** What is recorded. */
  readonly use: { readonly status: string; readonly text: string }
}

/** Pages that need no token; undefined: not one of them. */
async function openPage(
  request: Request,
  routes: readonly Route[],
  parts: ApiParts,
): Promise<Answer | undefined> {
  if (request.method !== 'GET') return undefined
  switch (request.path) {
    case '/healthz':
      return text(200, 'ok\n')
    case '/readyz':
      return readiness(parts.notReady())
    case '/api/openapi.json':
      return json(200, describeApi(routes))
    case '/metrics': {
      if (!isWithin(request.address, parts.config().control.metricsFrom)) {
        const caller = await callerOf(request, parts)
        if (caller === undefined) return problem(401, 'Send a token, or come from metrics_from.')
        if (!may(caller, 'view')) return problem(403, 'No role of this identity allows that.')
      }
      return text(200, await parts.metrics(), METRICS_TYPE)
    }
    default:
      return undefined
  }
}

function readiness(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ready\n') : text(503, `not ready: ${problem}\n`)
}

/** undefined: no credential was sent. Throws where one was and it is wrong. */
async function callerOf(request: Request, parts: ApiParts): Promise<Caller | undefined> {
  const sent = request.headers.get('authorization')
  if (sent === undefined) return undefined
  const credential = /^bearer ([^\s]{1,16384})$/i.exec(sent)?.[1] ?? ''
  const { address } = request
  // The file says all that can be said of this one; it is not in the state and cannot be locked out of.
  if (isOperatorToken(credential, parts.operatorHash))
    return { name: OPERATOR_ID, credentialId: OPERATOR_ID, identity: undefined, api: [], address }
  try {
    const identity = await parts.identify({ credential, address })
    const api = apiRoles(parts.config(), identity)
    return { name: identity.subject, credentialId: identity.credentialId, identity, api, address }
  } catch (error) {
    parts.recordRefused(address, GatewayError.from(error).code)
    throw error
  }
}

function may(caller: Caller, wanted: Permission): boolean {
  return caller.identity === undefined ? permitsOperator(wanted) : permitsRoles(caller.api, wanted)
}

const MALFORMED = Symbol('malformed')

/** The content type is demanded because a form on a web page cannot send it. */
function readBody(request: Request): unknown {
  if (request.body.length === 0) return undefined
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? ''))
    return MALFORMED
  try {
    return JSON.parse(request.body.toString('utf8'))
  } catch {
    return MALFORMED
  }
}
