/**
 * IO (the environment). Set-up of all test projects: how often properties are tried (`npm run fuzz` tries more), and from which
 * seed. `.ci/run` takes it from the commit: another commit tries something else, the same one the same again.
 */
import fc from 'fast-check'

const runs = Number(process.env.SLUICE_FUZZ_RUNS)
const seed = Number(process.env.SLUICE_FUZZ_SEED)
if (runs > 0) fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: runs })
if (seed > 0) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
