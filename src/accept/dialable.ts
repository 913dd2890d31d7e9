/**
 * Pure. Which addresses a name may stand for when the gateway dials it. A name server is not trusted to send the
 * gateway, with a credential at hand, to a place that no target can have. Addresses that stand in the configuration
 * itself are not judged: there a person has written what is meant.
 */
import { isWithin } from '../base/cidr.ts'

const NEVER = [
  '0.0.0.0/8', // This host, by another name.
  '169.254.0.0/16', // Link-local: where clouds keep the credentials of machines.
  '224.0.0.0/3', // Multicast, reserved, broadcast.
  '::/128',
  '64:ff9b::a9fe:0/112', // The link-local of IPv4, in the form that NAT64 translates (RFC 6052).
  'fe80::/10',
  'fd00:ec2::/32',
  'ff00::/8',
]

/** False for a text that is no address. */
export function isDialable(address: string): boolean {
  return isWithin(address, ['0.0.0.0/0', '::/0']) && !isWithin(address, NEVER)
}
