/** IO. `sluice check`: the configuration and its policies, as the gateway would read them. */
import { formatProblems } from '../config/load.ts'
import { say } from './output.ts'
import { needSettings } from './settings.ts'

export function check(flags: { config?: string; json?: boolean }): void {
  const { path, settings, warnings } = needSettings(flags.config)
  const { connections, roles, listeners } = settings.config
  const facts = {
    config: path,
    listeners: listeners.length,
    connections: connections.size,
    roles: roles.size,
    policies: settings.policyFiles.length,
    warnings,
  }
  if (flags.json === true) {
    say(`${JSON.stringify(facts)}\n`)
    return
  }
  if (warnings.length > 0) say(`${formatProblems(warnings)}\n`, 2)
  const count = (number: number, word: string): string =>
    `${number} ${word}${number === 1 ? '' : 's'}`
  const parts = [
    count(facts.listeners, 'listener'),
    count(facts.connections, 'connection'),
    count(facts.roles, 'role'),
    count(facts.policies, 'policy file'),
  ]
  say(`${path} is fine: ${parts.join(', ')}.\n`)
}
