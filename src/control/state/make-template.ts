/** IO. Part of `npm run build`: makes the empty database that first starts copy (state.ts). */
import { makeTemplate } from './state.ts'

await makeTemplate()
