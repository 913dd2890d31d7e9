import { awsKey } from '../../../src/mask/detectors/aws-key.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(awsKey, {
  hits: [
    '«AKIAIOSFODNN7EXAMPLE»',
    'id «ASIAIOSFODNN7EXAMPLE», x',
    'aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»',
    '{"SecretAccessKey": "«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»"}',
    'secret «AKIAIOSFODNN7EXAMPLE» : «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»',
  ],
  passes: [
    'AKIAIOSFODNN7EXAMPLES',
    'XAKIAIOSFODNN7EXAMPLE',
    'AKIAiosfodnn7example',
    'secret 0123456789abcdef0123456789abcdef01234567',
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  ],
})
