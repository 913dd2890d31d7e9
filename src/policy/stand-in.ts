/**
 * Pure. A configuration for policies that are tried without one: the connections and roles that tests name, each role
 * with every class but `opaque`, so that rules and masks alone decide.
 */
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/shape.ts'
import { CLASSES } from '../decide/action.ts'

export interface Named {
  readonly connections: Iterable<string>
  readonly roles: Iterable<string>
}

export function standIn({ connections, roles }: Named): Config {
  const connection = (name: string) => ({
    type: 'postgres',
    address: '127.0.0.1:5432',
    database: name,
    tls: 'disable',
    credential: { user: 'nobody', password: { env: 'NOBODY' } },
  })
  const role = {
    members: ['subject:*'],
    connections: ['*'],
    allow: CLASSES.filter((one) => one !== 'opaque'),
  }
  const text = JSON.stringify({
    connections: Object.fromEntries([...connections].map((name) => [name, connection(name)])),
    roles: Object.fromEntries([...roles].map((name) => [name, role])),
  })
  const result = readConfig({ path: '/sluice.yaml', text, cores: 1 })
  // Names come from files whose form was checked by the same rules.
  if ('problems' in result) throw new Error(result.problems[0]?.message ?? 'no configuration')
  return result.config
}
