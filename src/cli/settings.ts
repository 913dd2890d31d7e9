/** IO. The configuration that a command is about: found, read whole, or every problem at once and exit code 2. */
import { findConfig, loadSettings } from '../config/load.ts'
import type { Problem } from '../config/problem.ts'
import { KNOWN_DETECTORS } from '../mask/detect.ts'
import type { Settings } from '../threads/messages.ts'
import { CliError, wrongFiles } from './exit.ts'

export interface Loaded {
  readonly path: string
  readonly settings: Settings
  readonly warnings: readonly Problem[]
}

/** undefined: there is no configuration file. */
export function findSettings(config: string | undefined): Loaded | undefined {
  const path = findConfig(config)
  if (path === undefined) return undefined
  const loaded = loadSettings(path, { knownDetectors: KNOWN_DETECTORS })
  if ('problems' in loaded) throw wrongFiles(loaded.problems)
  return { path, ...loaded }
}

export function needSettings(config: string | undefined): Loaded {
  const found = findSettings(config)
  if (found === undefined)
    throw new CliError(
      2,
      'There is no sluice.yaml here; name one with --config or $SLUICE_CONFIG. deploy/examples/sluice.yaml is one to begin with.',
    )
  return found
}
