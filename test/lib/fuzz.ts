/** IO (the environment). Set-up of all test projects: how often properties are tried; `npm run fuzz` tries more. */
import fc from 'fast-check'

const runs = Number(process.env.SLUICE_FUZZ_RUNS)
if (runs > 0) fc.configureGlobal({ numRuns: runs })
