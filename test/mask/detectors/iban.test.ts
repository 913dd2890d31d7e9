import { iban } from '../../../src/mask/detectors/iban.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(iban, {
  hits: [
    '«DE89370400440532013000»',
    'to «DE89 3704 0044 0532 0130 00» and',
    '«GB82 WEST 1234 5698 7654 32» test',
    'ref AB12 «BE68 5390 0754 7034» next',
    '«nl91abna0417164300»',
    '«MT84MALT011000012345MTLCAST001S»',
    '«NO9386011117947»',
  ],
  passes: [
    'DE89370400440532013001',
    'XX89370400440532013000',
    'DE8937040044053201300',
    'DE893704004405320130001',
    'AB12',
    'ISO 9001',
  ],
})
