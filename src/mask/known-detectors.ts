/** Pure. The registry: every detector that policies can name. */
import { awsKey } from './detectors/aws-key.ts'
import * as cloud from './detectors/cloud-keys.ts'
import { connectionString, password } from './detectors/connection-string.ts'
import { phone, streetAddress } from './detectors/contact.ts'
import { creditCard } from './detectors/credit-card.ts'
import * as delivery from './detectors/delivery-tokens.ts'
import { type Detector, GROUPS } from './detectors/detector.ts'
import { imei, passportMrz } from './detectors/documents.ts'
import { email } from './detectors/email.ts'
import { githubToken } from './detectors/github-token.ts'
import * as health from './detectors/health.ts'
import { highEntropy } from './detectors/high-entropy.ts'
import { iban } from './detectors/iban.ts'
import * as americas from './detectors/identity-americas.ts'
import * as east from './detectors/identity-east.ts'
import * as north from './detectors/identity-north.ts'
import * as south from './detectors/identity-south.ts'
import * as west from './detectors/identity-west.ts'
import { jwt } from './detectors/jwt.ts'
import { ipv4, ipv6, macAddress } from './detectors/network.ts'
import { bitcoinAddress, cardTrack, usRouting } from './detectors/payment.ts'
import { privateKey } from './detectors/private-key.ts'
import { slackToken } from './detectors/slack-token.ts'
import { usSsn } from './detectors/us-ssn.ts'
import * as vendors from './detectors/vendor-keys.ts'

const ALL: readonly Detector[] = [
  ...[creditCard, iban, cardTrack, usRouting, bitcoinAddress, usSsn],
  ...[americas, west, south, north, east].flatMap((part) => Object.values(part)),
  ...[passportMrz, imei],
  ...Object.values(health),
  ...[email, phone, streetAddress, ipv4, ipv6, macAddress, awsKey],
  ...Object.values(cloud),
  githubToken,
  ...Object.values(delivery),
  slackToken,
  ...Object.values(vendors),
  ...[privateKey, jwt, connectionString, password, highEntropy],
]

/** All detectors by id, for policy loading and the README: by group, and by name within it. */
export const KNOWN_DETECTORS: ReadonlyMap<string, Detector> = new Map(
  GROUPS.flatMap((group) =>
    ALL.filter((detector) => detector.group === group)
      .sort((one, other) => (one.id < other.id ? -1 : 1))
      .map((detector): [string, Detector] => [detector.id, detector]),
  ),
)
