/** IO (key files). What a session worker makes of the settings that main has accepted. */
import type { SecureContext } from 'node:tls'
import { serverContext } from '../accept/tls.ts'
import type { Config } from '../config/shape.ts'
import { compilePolicies, type PolicySet } from '../decide/policy.ts'
import { resolveSecret } from '../dial/secret.ts'
import { KNOWN_DETECTORS } from '../mask/detect.ts'
import type { Settings } from './messages.ts'

/** In the order of `config.listeners`; undefined for one without TLS. */
export function contextsOf(config: Config): readonly (SecureContext | undefined)[] {
  return config.listeners.map((one) => serverContext(one, resolveSecret))
}

/** Main has compiled them before; what does not compile here is a bug, and nobody gets in on it. */
export function policiesOf(settings: Settings): PolicySet {
  const result = compilePolicies(settings.policyFiles, {
    version: settings.policyVersion,
    knownDetectors: KNOWN_DETECTORS,
    config: settings.config,
  })
  if ('policies' in result) return result.policies
  throw new Error(`policies do not compile: ${result.problems.length} problems`)
}
