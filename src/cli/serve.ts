/** IO. `sluice serve`: the gateway on its configuration, or on the embedded default where there is none. */
import { formatProblems, loadPolicies, loadSettings } from '../config/load.ts'
import { announce } from '../demo/announce.ts'
import { embeddedDefault } from '../demo/embedded.ts'
import { serve as serveGateway } from '../main.ts'
import { KNOWN_DETECTORS } from '../mask/detect.ts'
import type { ExitCode } from './exit.ts'
import { say } from './output.ts'
import { findSettings, type Loaded } from './settings.ts'

const knownDetectors = new Set(KNOWN_DETECTORS.keys())

/** Runs until it is told to stop. Throws `StartError` and `CliError`. */
export async function serve(flags: { config?: string }): Promise<ExitCode> {
  const found = findSettings(flags.config)
  const code = found === undefined ? await serveEmbedded() : await serveConfigured(found)
  return code === 0 ? 0 : 1
}

function serveConfigured({ path, settings, warnings }: Loaded): Promise<number> {
  if (warnings.length > 0) say(`${formatProblems(warnings)}\n`, 2)
  return serveGateway({
    settings,
    reload: (policyVersion) => loadSettings(path, { knownDetectors, policyVersion }),
    onStarted: ({ controlUrl, listening }) => {
      const clients = listening.map(
        ({ protocol, host, port }) => `  ${protocol}  ${host}:${port}\n`,
      )
      say(`Sluice is ready.\n${clients.join('')}  control  ${controlUrl}\n`)
    },
  })
}

async function serveEmbedded(): Promise<number> {
  const demo = await embeddedDefault({ knownDetectors })
  const { config } = demo.settings
  try {
    return await serveGateway({
      settings: demo.settings,
      freePorts: true,
      reload: (policyVersion) => loadPolicies(config, { knownDetectors, policyVersion }),
      onStarted: async ({ controlUrl, listening }) => {
        const listener = config.listeners[0]?.listen.port ?? 0
        const wanted = { listener, control: config.control.listen.port }
        say(await announce({ data: config.data, controlUrl, listening, wanted }))
      },
    })
  } finally {
    await demo.stop()
  }
}
