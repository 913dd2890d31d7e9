/**
 * Pure. Which run-time parameters a client may set: the one judge for SET, set_config, start-up parameters and
 * `options=-c …` (semantics §1, "Harmless parameters").
 * https://www.postgresql.org/docs/current/runtime-config.html
 */

export interface ParameterContext {
  /** `connections.<c>.identity_to_target.setting`: refused to clients in every form but its reset. */
  readonly identityParameter: string | undefined
  /** True for the start-up packet, where parameters that change who one is are refused to every role. */
  readonly startup?: boolean
}

export type ParameterJudgement = 'harmless' | 'refused' | 'admin'

/** A parameter of the statement: the client's own words, as a literal's are, but not known before Bind. */
export const BOUND = Symbol('bound')

/** Harmless whatever the value is. */
const ANY_VALUE = new Set(
  `application_name bytea_output constraint_exclusion cursor_tuple_fraction datestyle
  default_transaction_deferrable default_transaction_isolation default_transaction_read_only
  extra_float_digits from_collapse_limit geqo idle_in_transaction_session_timeout
  idle_session_timeout intervalstyle jit join_collapse_limit lock_timeout plan_cache_mode
  restrict_nonsystem_relation_kind search_path statement_timeout synchronize_seqscans timezone
  transaction_deferrable transaction_isolation transaction_read_only transaction_timeout`.split(
    /\s+/,
  ),
)

/** Planner switches; none of the server's parameters of that prefix is anything else. */
const PLANNER = /^enable_[a-z_]+$/

const ONE_OF: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['client_min_messages', new Set(['notice', 'warning', 'error', 'fatal', 'panic'])],
  ['row_security', new Set(['off', 'false', 'no', '0', 'of', 'f', 'fa', 'fal', 'fals', 'n'])],
  ['standard_conforming_strings', new Set(['on', 'true', 'yes', '1', 't', 'tr', 'tru', 'y', 'ye'])],
])

const WHO_ONE_IS = /^(role|session_authorization|.*_preload_libraries)$/

/**
 * Harmless parameters that change what texts or names mean: after them the session's names are asked for again.
 */
const CHANGES_NAMES = new Set(['search_path', 'client_encoding', 'standard_conforming_strings'])

/** `value`: as text; undefined for its default (RESET, SET … TO DEFAULT); null when it is not known yet. */
export function judgeParameter(
  name: string,
  value: string | undefined | null | typeof BOUND,
  context: ParameterContext,
): ParameterJudgement {
  const plain = name.toLowerCase()
  if (value === undefined) return context.startup === true ? 'admin' : judgeReset(plain)
  if (plain === context.identityParameter?.toLowerCase()) return 'refused'
  if (WHO_ONE_IS.test(plain)) return context.startup === true ? 'refused' : 'admin'
  if (value === null) return 'admin'
  if (ANY_VALUE.has(plain) || PLANNER.test(plain))
    return value === BOUND && changesNames(plain) ? 'admin' : 'harmless'
  if (value === BOUND) return 'admin'
  if (plain === 'client_encoding') return isUtf8(value) ? 'harmless' : 'admin'
  return ONE_OF.get(plain)?.has(value.trim().toLowerCase()) === true ? 'harmless' : 'admin'
}

/** Back to what the start-up packet said. RESET ROLE and the like go back to who one was at the start. */
function judgeReset(name: string): ParameterJudgement {
  return WHO_ONE_IS.test(name) ? 'admin' : 'harmless'
}

export function changesNames(name: string): boolean {
  const plain = name.toLowerCase()
  return CHANGES_NAMES.has(plain) || WHO_ONE_IS.test(plain)
}

/** PostgreSQL compares encoding names by letters and digits only. */
export function isUtf8(value: string): boolean {
  const letters = value.toLowerCase().replace(/[^a-z0-9]/g, '')
  return letters === 'utf8' || letters === 'unicode'
}
