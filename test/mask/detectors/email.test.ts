import { email } from '../../../src/mask/detectors/email.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(email, {
  hits: [
    '«alice.smith@example.com»',
    '<«bob+tag@mail.example.co.uk»>',
    'mailto:«a@b.io»?subject=x',
    'email=«x@y.org»&z=1',
    "('«o'brien@example.ie»')",
    '«jürgen@müller.example»',
    'to «a_b-c@x-y.example», and «d@e.example».',
    '("«ann@example.com»")',
  ],
  passes: [
    'root@localhost',
    'a @ b.com',
    '@handle',
    'user@10.0.0.1',
    'x@y',
    'git@',
    'price 5@7.50',
  ],
})
