/**
 * IO. Plays programs on a real server and compares what each statement did with what the classifier said of it.
 *
 * Always the same programs, so that a green commit stays green; `npm run fuzz` tries others and more of them, and
 * SLUICE_SEED=n repeats those of a run that failed.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parse } from 'yaml'
import { z } from 'zod'
import {
  CATALOGUE_TEXT,
  NAMES_TEXT,
} from '../../../../src/protocols/postgres/sql/catalogue-query.ts'
import { programs } from './grammar/choose.ts'
import { program } from './grammar/session.ts'
import type { Oracle } from './oracle.ts'
import { Reader, Shared } from './reader.ts'
import { findings } from './verdict.ts'

const fuzz = process.env.SLUICE_FUZZ_RUNS
const RUNS = Number(fuzz ?? 200)
const SEED = Number(process.env.SLUICE_SEED ?? (fuzz === undefined ? 1 : Date.now() % 1e9))

export interface Report {
  readonly statements: number
  readonly accepted: number
  /** The classifier promised less than happened: steps up to the statement, and what happened. */
  readonly found: readonly (readonly string[])[]
  /** Accepted by the server, not read by the classifier: the safe side, where clients should not meet it. */
  readonly opaque: readonly string[]
  /** Read by the classifier, no SQL to the server. */
  readonly misread: readonly string[]
}

/** `newer`: percent of programs that only servers newer than 15 read; `share` of all programs that are asked for. */
export function generated(newer: number, share = 1): readonly (readonly string[])[] {
  return fc.sample(programs(program, newer), { numRuns: Math.ceil(RUNS * share), seed: SEED })
}

/** What was found before. */
export function found(): readonly (readonly string[])[] {
  const text = readFileSync(join(import.meta.dirname, 'found.yaml'), 'utf8')
  const one = z.strictObject({ about: z.string(), steps: z.array(z.string()) })
  return z
    .array(one)
    .parse(parse(text))
    .map(({ steps }) => steps)
}

export async function compare(
  oracle: Oracle,
  tried: readonly (readonly string[])[],
): Promise<Report> {
  const shared = new Shared(await oracle.ask(CATALOGUE_TEXT))
  const fresh = await oracle.ask(NAMES_TEXT)
  const all: string[][] = []
  const opaque: string[] = []
  const misread: string[] = []
  let statements = 0
  let accepted = 0
  for (const steps of tried) {
    const reader = new Reader(shared, fresh)
    const before: string[] = []
    await oracle.play(steps, async (text, seen) => {
      statements++
      if (seen.accepted) accepted++
      else if (process.env.SLUICE_SHOW)
        console.log(`${seen.error!.code} ${seen.error!.message} :: ${text}`)
      before.push(text)
      const meant = reader.meaning
      const statement = reader.read(text)
      if (statement === undefined) return
      if (statement === 'opaque' || statement.opaque !== undefined) {
        if (seen.accepted) opaque.push(text)
        return
      }
      if (seen.error?.code === '42601' && /syntax error/.test(seen.error.message))
        misread.push(text)
      const names = seen.accepted ? await oracle.ask(NAMES_TEXT) : ''
      const meaning = { before: meant, after: seen.accepted ? shared.meaning(names) : meant }
      for (const one of findings({ statement, seen, meaning })) all.push([...before, one])
      if (seen.accepted) reader.ran(statement, names)
    })
  }
  return { statements, accepted, found: all, opaque, misread }
}

export function shown({ statements, accepted, opaque, misread }: Report): string {
  const share = ((100 * accepted) / statements).toFixed(1)
  const odd = `${opaque.length} of them opaque to the classifier, ${misread.length} only no SQL to the server`
  return `seed ${SEED}: ${statements} statements, ${accepted} (${share} %) accepted, ${odd}`
}
