/** Pure. All guards that `npm run test:guards` takes away. */
import { COPYING_GUARDS } from './copying.ts'
import { FAULT_GUARDS } from './faults.ts'
import { FORMAT_GUARDS } from './formats.ts'
import type { Guard } from './guard.ts'
import { OUTPUT_GUARDS } from './outputs.ts'
import { PREDICATE_GUARDS } from './predicates.ts'
import { STATEMENT_GUARDS } from './statements.ts'
import { TELLING_GUARDS } from './telling.ts'

export const GUARDS: readonly Guard[] = [
  ...OUTPUT_GUARDS,
  ...TELLING_GUARDS,
  ...PREDICATE_GUARDS,
  ...COPYING_GUARDS,
  ...FORMAT_GUARDS,
  ...STATEMENT_GUARDS,
  ...FAULT_GUARDS,
]
