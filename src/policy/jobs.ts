/**
 * Pure apart from what it asks; the parser must be loaded. What the API asks of policies, from the texts of files to a
 * document: which there are, what would happen to a statement and why, and what a candidate makes of the record. Runs in a
 * thread of its own (workers/policy.ts): rules take long to compile, and a candidate may be anything.
 */
import { formatProblems } from '../config/problem.ts'
import type { Config } from '../config/shape.ts'
import { compilePolicies, type PolicySet } from '../decide/policy.ts'
import { KNOWN_DETECTORS } from '../mask/known-detectors.ts'
import type { PolicyFile, Settings } from '../threads/messages.ts'
import { explain } from './explain.ts'
import { listPolicies } from './list.ts'
import { backtestOver } from './over-record.ts'
import { type Query, Unreadable } from './record-stream.ts'
import { readSchema } from './schema-catalogue.ts'
import { type Asked, tryOut } from './trial.ts'

export type PolicyJob =
  | { readonly type: 'list'; readonly after: string; readonly limit: number }
  | {
      readonly type: 'explain'
      readonly asked: Asked
      /** DDL; '' for that of the policies' tests. */
      readonly schema: string
      /** Instead of the policies that are in force. */
      readonly candidate: readonly PolicyFile[] | undefined
    }
  | {
      readonly type: 'backtest'
      readonly candidate: readonly PolicyFile[]
      readonly sinceMs: number
      readonly connection: string
    }

export type JobAnswer =
  /** JSON. */
  | { readonly type: 'done'; readonly body: string }
  /** What was asked is at fault: a sentence, and every problem. */
  | { readonly type: 'wrong'; readonly say: string; readonly problems: readonly string[] }

export interface JobParts {
  readonly settings: Pick<Settings, 'config' | 'policyFiles' | 'policyVersion'>
  readonly query: Query
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Rejects as `query` does. */
export async function runJob(job: PolicyJob, parts: JobParts): Promise<JobAnswer> {
  try {
    switch (job.type) {
      case 'list':
        return done(listPolicies(inForce(parts.settings), job))
      case 'explain':
        return explained(job, parts)
      case 'backtest':
        return await backtested(job, parts)
      default:
        return wrong('There is no such job.')
    }
  } catch (error) {
    if (error instanceof Refused) return error.answer
    if (error instanceof Unreadable) return wrong(error.message)
    throw error
  }
}

function explained(job: PolicyJob & { type: 'explain' }, { settings, now }: JobParts): JobAnswer {
  const { config } = settings
  const { asked, candidate } = job
  const policies =
    candidate === undefined ? inForce(settings).policies : candidateOf(candidate, config)
  const { names, said } = namesFor(policies, job.schema)
  const tried = tryOut(asked, { config, policies, names, now })
  return done(explain(asked, tried, { policies, names: said }))
}

async function backtested(
  job: PolicyJob & { type: 'backtest' },
  { settings, query, now }: JobParts,
): Promise<JobAnswer> {
  const { config } = settings
  const candidate = candidateOf(job.candidate, config)
  const current = inForce(settings).policies
  const span = { fromMs: now - job.sinceMs, untilMs: now }
  const replay = { config, candidate, current, span, connection: job.connection }
  return done(await backtestOver(query, replay))
}

/** Compiled once for a version; the thread that asks twice is the same one. */
let kept: { version: number; compiled: Compiled } | undefined

type Compiled = Extract<ReturnType<typeof compilePolicies>, { policies: PolicySet }>

function inForce({ config, policyFiles, policyVersion }: JobParts['settings']): Compiled {
  if (kept?.version === policyVersion) return kept.compiled
  const compiled = compile(policyFiles, config, policyVersion)
  // They were accepted by the same code.
  if ('problems' in compiled) throw new Refused('The policies in force cannot be read.', [])
  kept = { version: policyVersion, compiled }
  return compiled
}

function candidateOf(files: readonly PolicyFile[], config: Config): PolicySet {
  const compiled = compile(files, config, 1)
  if (!('problems' in compiled)) return compiled.policies
  throw new Refused('The candidate is refused.', formatProblems(compiled.problems).split('\n'))
}

function compile(files: readonly PolicyFile[], config: Config, version: number) {
  return compilePolicies(files, {
    version,
    knownDetectors: KNOWN_DETECTORS,
    config,
    compares: true,
  })
}

/** The schema given, else the one schema that the policies' tests have; several would say different things. */
export function namesFor(policies: Pick<PolicySet, 'suites'>, schema: string) {
  const own = [...new Set(policies.suites.map((suite) => suite.schema))].filter((one) => one !== '')
  const [text, said] =
    schema !== ''
      ? [schema, 'tables as the schema given says']
      : own.length === 1
        ? [own[0]!, 'tables as the schema of the policy tests says']
        : ['', 'no catalogue: every name is taken for a table of public that nothing is known of']
  const { names, problems } = readSchema(text)
  if (problems.length === 0) return { names, said }
  throw new Refused(
    'The schema is refused.',
    problems.map(({ message }) => message),
  )
}

class Refused extends Error {
  readonly answer: JobAnswer

  constructor(say: string, problems: readonly string[]) {
    super(say)
    this.answer = wrong(say, problems)
  }
}

function wrong(say: string, problems: readonly string[] = []): JobAnswer {
  return { type: 'wrong', say, problems }
}

function done(document: unknown): JobAnswer {
  return { type: 'done', body: JSON.stringify(document) }
}
