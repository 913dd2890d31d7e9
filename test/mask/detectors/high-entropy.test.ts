import { highEntropy } from '../../../src/mask/detectors/high-entropy.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(highEntropy, {
  hits: [
    '«kX9vQ2mZ7pL4tR8wB3nY»',
    'pw=«Zm9vYmFyMTIzQmF6UXV4NDU2»',
    '«wJalrXUtnFEMI7K7MDENG9bPxRfiCYzEXAMPLEKEY»',
  ],
  passes: [
    '550e8400-e29b-41d4-a716-446655440000',
    'd41d8cd98f00b204e9800998ecf8427e',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'thisIsALongCamelCaseIdentifierName2',
    'aaaaaaaaaaaaaaaaaaaaaaaaA11',
    '/usr/local/lib/python3/dist-packages',
    '2024-01-02T03-04-05-000-0000',
  ],
})
