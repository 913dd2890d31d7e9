/**
 * Pure. Masks parts of JSON documents as PostgreSQL writes them: json and jsonb, text and binary, by themselves and in
 * arrays. What detectors find in the rest is hidden too.
 *
 * What cannot be read as a document becomes NULL, one that is too large is hidden whole; both are counted under names of
 * their own, so that the record tells.
 */
import { JsonPaths, type PartMasker } from '../../mask/json-paths.ts'
import type { TypeFamily } from '../../mask/plan.ts'
import {
  count,
  type Replaced,
  type SpanContext,
  strongestHit,
  type Tally,
} from '../../mask/spans.ts'
import { jsonString, type MaskKey, REDACTED, transformJson } from '../../mask/transform.ts'
import { type PathMask, stronger } from '../../mask/transform-spec.ts'
import { type ElementMasker, maskArrayBinary, maskArrayText } from './mask-array.ts'

const JSONB_VERSION = Buffer.of(1)
const WHOLE = jsonString(Buffer.from(REDACTED))

export interface DocumentJob {
  /** Those that apply. */
  readonly masks: readonly PathMask[]
  readonly family: TypeFamily
  readonly binary: boolean
  /** The column's name, for documents that are hidden whole. */
  readonly name: string
  readonly key: MaskKey
  readonly tally: Tally
  readonly spans: SpanContext | undefined
  /** Looks for what detectors find in a document without a version byte. */
  readonly rest: ElementMasker | undefined
}

/** undefined: these families hold no documents. */
export function documentMasker(job: DocumentJob): ElementMasker | undefined {
  const { family, binary } = job
  const document = plainMasker(job)
  const versioned = binary && family.startsWith('jsonb') ? inVersion(document) : document
  if (family === 'json' || family === 'jsonb') return versioned
  if (family !== 'json-array' && family !== 'jsonb-array') return undefined
  return (value) => {
    const masked = binary ? maskArrayBinary(value, versioned) : maskArrayText(value, versioned)
    if (masked !== 'malformed') return masked
    count(job.tally, `${job.name} (unreadable)`)
    return null
  }
}

/** jsonb in binary is a version byte and the text. */
function inVersion(document: ElementMasker): ElementMasker {
  return (value) => {
    if (value[0] !== JSONB_VERSION[0]) return null
    const masked = document(value.subarray(1))
    return masked === undefined || masked === null ? masked : Buffer.concat([JSONB_VERSION, masked])
  }
}

function plainMasker(job: DocumentJob): ElementMasker {
  const { name, tally, rest } = job
  const paths = new JsonPaths(job.masks)
  const part = partMasker(job)
  return (value): Replaced => {
    const masked = paths.mask(value, part)
    if (masked === 'unreadable' || masked === 'too-large') {
      count(tally, `${name} (${masked === 'unreadable' ? masked : 'too large'})`)
      return masked === 'unreadable' ? null : WHOLE
    }
    const found = rest?.(masked ?? value)
    return found === undefined ? masked : found
  }
}

function partMasker({ key, tally, spans }: DocumentJob): PartMasker {
  return (part, { transform, name }) => {
    count(tally, name)
    // A detector that hides more than a partly shown value does wins over it.
    const hit = transform.type === 'partial' && spans ? strongestHit(part, spans) : undefined
    return transformJson(part, hit === undefined ? transform : stronger(transform, hit), key)
  }
}
