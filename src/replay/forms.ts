/**
 * Pure. What each protocol brings to replays: how its responses are read, and the forms that its sessions have. A
 * protocol that is added later is one entry here.
 */
import { PostgresReader } from './postgres-reader.ts'
import type { ResponseReader } from './timeline.ts'

export const FORMATS = ['json', 'csv', 'asciicast', 'har', 'pcapng'] as const
export type Format = (typeof FORMATS)[number]

export interface Form {
  readonly formats: readonly Format[]
  reader(): ResponseReader
}

const POSTGRES: Form = {
  formats: ['json', 'csv', 'asciicast', 'pcapng'],
  reader: () => new PostgresReader(),
}

/** Of a protocol without a form of its own: what was asked and decided, and no responses. */
const PLAIN: Form = {
  formats: ['json', 'csv', 'asciicast'],
  reader: () => ({ push: () => [], end: () => [] }),
}

const FORMS: ReadonlyMap<string, Form> = new Map([['postgres', POSTGRES]])

export function formOf(protocol: string): Form {
  return FORMS.get(protocol) ?? PLAIN
}
