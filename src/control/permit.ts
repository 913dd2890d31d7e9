/**
 * Pure. What each API role may do. No role implies more than is written here; what nobody is given, nobody has.
 *
 * `admin` may not read records (`auditor` may): who can hand out tokens should not also read everything by default.
 * Who erases (`admin`) and who holds against it (`auditor`) are two roles.
 * The host operator's own token may issue tokens, end sessions and read masked records; it never decides requests
 * and unseals nothing. To unseal takes an approved request besides.
 */
import type { ApiRole } from '../config/shape.ts'

/** `known`: any valid credential. `view`: sessions, connections, metrics. `hold`: legal holds. `erase`: contents of records. */
export type Permission =
  | 'known'
  | 'view'
  | 'audit'
  | 'unseal'
  | 'kill'
  | 'tokens'
  | 'hold'
  | 'erase'

const MAY: Readonly<Record<ApiRole, readonly Permission[]>> = {
  viewer: ['known', 'view'],
  auditor: ['known', 'view', 'audit', 'unseal', 'hold'],
  operator: ['known', 'view', 'kill'],
  admin: ['known', 'view', 'kill', 'tokens', 'erase'],
}

const OPERATOR: readonly Permission[] = [
  'known',
  'view',
  'audit',
  'kill',
  'tokens',
  'hold',
  'erase',
]

export function permitsRoles(roles: readonly ApiRole[], wanted: Permission): boolean {
  return wanted === 'known' || roles.some((role) => MAY[role].includes(wanted))
}

export function permitsOperator(wanted: Permission): boolean {
  return OPERATOR.includes(wanted)
}
