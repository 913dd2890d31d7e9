import { defineConfig } from 'vitest/config'

const apart = ['contract', 'real', 'chaos', 'soak', 'suites']

/** Disks and clocks of their own, which cannot be had everywhere and take minutes: `npm run test:soak`. */
const SOAK = ['clock', 'power', 'whole-disk'].map((name) => `test/chaos/${name}.test.ts`)
const isSoak = process.env.SLUICE_CHAOS_ROUNDS !== undefined

/** One project a folder; `unit` is all that needs no server. Groups run one after the other. */
function project(name: string, group: number, exclude: readonly string[] = []) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      exclude: [...exclude],
      sequence: { groupOrder: group },
    },
  }
}

export default defineConfig({
  test: {
    // Real servers share the cores with the tests; more files at once only makes clocks lie.
    maxWorkers: 2,
    pool: 'forks',
    retry: 0,
    setupFiles: ['test/lib/fuzz.ts'],
    // Only for what hangs: a machine that is busy with other tests is slow. A fuzz run takes as long as it takes.
    testTimeout: process.env.SLUICE_FUZZ_RUNS === undefined ? 120_000 : 3_600_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: apart.map((folder) => `test/${folder}/**`),
          sequence: { groupOrder: 0 },
        },
      },
      project('contract', 1),
      project('real', 2),
      project('chaos', 3, isSoak ? [] : SOAK),
      // Other people's suites and clients in other languages: `npm run test:real`, no part of `npm test`.
      ...(process.env.SLUICE_SUITES === undefined ? [] : [project('suites', 4)]),
    ],
  },
})
