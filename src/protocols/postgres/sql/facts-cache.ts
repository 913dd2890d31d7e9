/**
 * Pure. Remembers what texts mean, so that a statement that was seen before is not parsed again (semantics §2).
 *
 * What is remembered are facts about a text under names and masks that are part of the key; never a decision. Texts
 * that differ only in literals share an entry where a template holds (template.ts). Bounded in entries and in bytes:
 * two generations, of which the older is dropped when the younger is full, so that what was used lately stays.
 */
import { analyse } from './analyse.ts'
import type { AnalyseOptions, Analysis } from './analysis.ts'
import { normalise } from './normalise.ts'
import { PARSER_VERSION } from './parse.ts'
import { fill, type Template, templateOf } from './template.ts'

export interface FactsCacheOptions {
  readonly entriesMax: number
  /** Default 64 MiB, by estimate. */
  readonly bytesMax?: number
}

/** `seen`: its second text will be worth a template. `alone`: there is none. */
type Entry = Analysis | Template | 'seen' | 'alone'

/** Longer texts are rarely seen twice but for their exact bytes. */
const NORMALISED_LENGTH_MAX = 8192
const SHORTS_MAX = 1024
/** What one entry costs beside its text. */
const ENTRY_BYTES = 2048

export class FactsCache {
  readonly #entriesMax: number
  readonly #bytesMax: number
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #bytes = 0
  #counter = 0
  readonly #shorts = new Map<string, string>()
  #last: { readonly options: AnalyseOptions; readonly prefix: string } | undefined

  constructor(options: FactsCacheOptions) {
    this.#entriesMax = Math.max(2, options.entriesMax)
    this.#bytesMax = options.bytesMax ?? 64 * 1024 * 1024
  }

  /** Entries held now, at most `entriesMax`. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Equal to `analyse(text, options)` of analyse.ts. */
  analyse(text: string, options: AnalyseOptions): Analysis {
    const prefix = this.#prefix(options)
    const exact = `=${prefix}${text}`
    const known = this.#get(exact)
    if (known !== undefined) return known as Analysis
    const isPlain = options.names.encoding === 'utf8' && options.names.standardConformingStrings
    const short = isPlain && text.length <= NORMALISED_LENGTH_MAX
    const normalised = short ? normalise(text) : undefined
    if (normalised === undefined || normalised.values.length === 0)
      return this.#put(exact, analyse(text, options))
    const shape = `~${prefix}${normalised.key}`
    const entry = this.#get(shape)
    if (entry !== undefined && typeof entry !== 'string')
      return fill(entry as Template, text, normalised.values)
    const analysis = analyse(text, options)
    if (entry === 'seen') {
      const again = (other: string): Analysis => analyse(other, options)
      const template = templateOf(text, normalised, { analysis, analyse: again })
      this.#put(shape, template ?? 'alone')
      if (template !== undefined) return analysis
    } else if (entry === undefined) this.#put(shape, 'seen')
    return this.#put(exact, analysis)
  }

  /** Most sessions ask with the same options again and again. */
  #prefix(options: AnalyseOptions): string {
    const last = this.#last
    if (last !== undefined && sameOptions(last.options, options)) return last.prefix
    const { names, masked, functionsRead, identityParameter } = options
    const parts = [
      PARSER_VERSION,
      names.key,
      names.catalogue.epoch,
      names.encoding,
      names.standardConformingStrings,
      masked === undefined ? null : masked.key,
      functionsRead,
      identityParameter ?? null,
    ]
    const prefix = this.#short(JSON.stringify(parts))
    this.#last = { options, prefix }
    return prefix
  }

  /** A number instead of a long key. Numbers are never given twice, so that forgetting some only costs hits. */
  #short(parts: string): string {
    const known = this.#shorts.get(parts)
    if (known !== undefined) return known
    if (this.#shorts.size >= SHORTS_MAX) this.#shorts.clear()
    this.#counter++
    const made = `${this.#counter} `
    this.#shorts.set(parts, made)
    return made
  }

  #get(key: string): Entry | undefined {
    const found = this.#young.get(key)
    if (found !== undefined) return found
    const older = this.#old.get(key)
    if (older === undefined) return undefined
    this.#old.delete(key)
    this.#put(key, older)
    return older
  }

  #put<E extends Entry>(key: string, entry: E): E {
    const bytes = ENTRY_BYTES + 2 * key.length + bytesOf(entry)
    if (bytes > this.#bytesMax / 8) return entry
    if (this.#young.size >= this.#entriesMax >> 1 || this.#bytes + bytes > this.#bytesMax / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#bytes = 0
    }
    this.#young.set(key, entry)
    this.#bytes += bytes
    return entry
  }
}

function sameOptions(one: AnalyseOptions, other: AnalyseOptions): boolean {
  if (one === other) return true
  return (
    one.names === other.names &&
    one.masked === other.masked &&
    one.functionsRead === other.functionsRead &&
    one.identityParameter === other.identityParameter
  )
}

/** An estimate from above of the strings an entry holds. */
function bytesOf(entry: Entry): number {
  if (typeof entry === 'string') return 0
  const statements = 'statement' in entry ? [entry.statement] : entry.statements
  let bytes = 0
  for (const { facts, reasons } of statements) {
    bytes += 1024
    for (const list of [facts.literals, facts.columns, facts.tables, facts.functions, reasons])
      for (const one of list) bytes += 32 + 2 * one.length
  }
  return bytes
}
