/**
 * Pure. AWS access key ids (`AKIA` for users, `ASIA` for sessions), and secret access keys where a
 * word beside them says so: forty characters of base64 within forty bytes of `secret` or `aws`.
 */
import { type Detector, isAlphanumeric, NONE } from './detector.ts'

const ID_LENGTH = 20
const SECRET_LENGTH = 40

export const awsKey: Detector = {
  id: 'aws_key',
  version: 1,
  group: 'cloud',
  finds: 'AWS access key ids, and secret keys beside their names',
  checked: 'prefix; length and mixture',
  forms: [
    { source: '(?:AKIA|ASIA)[A-Z0-9]{16}', score: 90 },
    {
      source: '(?i:aws|secret)[^\\n\\x00]{0,40}?[^A-Za-z0-9/+\\n\\x00][A-Za-z0-9/+]{40}',
      score: 75,
      needs: { mixedRun: SECRET_LENGTH },
    },
  ],
  probe: '(?:AKIA|ASIA)[A-Z0-9]{16}|[A-Za-z0-9/+]{40}',
  needs: { length: ID_LENGTH, run: ID_LENGTH },
  confirm(bytes, start, end) {
    if (end - start === ID_LENGTH) {
      const apart = !isAlphanumeric(bytes[start - 1]) && !isAlphanumeric(bytes[end])
      return apart ? [{ start, end }] : NONE
    }
    if (isAlphanumeric(bytes[end])) return NONE
    return mixed(bytes, end - SECRET_LENGTH, end) ? [{ start: end - SECRET_LENGTH, end }] : NONE
  },
}

/** Both cases and a digit: forty letters of one case are a word, forty hex digits a hash. */
function mixed(bytes: Uint8Array, start: number, end: number): boolean {
  let kinds = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte >= 0x61 && byte <= 0x7a) kinds |= 1
    else if (byte >= 0x41 && byte <= 0x5a) kinds |= 2
    else if (byte >= 0x30 && byte <= 0x39) kinds |= 4
  }
  return kinds === 7
}
