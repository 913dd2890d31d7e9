/**
 * Pure. Remembers what texts mean, so that a statement that was seen before is not parsed again (semantics §2).
 *
 * What is remembered are facts about a text under names and masks, each of which has texts of its own; never a decision.
 * A text is asked for as it is: one that is the same string as before is not even hashed (known-texts.ts). Texts that
 * differ only in literals share an entry where a template holds (template.ts). Bounded in entries and in bytes: two
 * generations, of which the older is dropped when the younger is full, so that what was used lately stays.
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
const MEANINGS_MAX = 1024
/** What one entry costs beside its text. */
const ENTRY_BYTES = 2048

/** Entries of two generations, by text or by shape. */
class Entries {
  young = new Map<string, Entry>()
  old = new Map<string, Entry>()

  age(): void {
    this.old = this.young
    this.young = new Map()
  }
}

/** What texts mean under one set of names and masks. */
class Meaning {
  readonly texts = new Entries()
  /** Texts without their literals. */
  readonly shapes = new Entries()
}

export class FactsCache {
  readonly #entriesMax: number
  readonly #bytesMax: number
  readonly #meanings = new Map<string, Meaning>()
  /** Sessions ask with the same options again and again. */
  #byOptions = new WeakMap<AnalyseOptions, Meaning>()
  #young = 0
  #bytes = 0

  constructor(options: FactsCacheOptions) {
    this.#entriesMax = Math.max(2, options.entriesMax)
    this.#bytesMax = options.bytesMax ?? 64 * 1024 * 1024
  }

  /** Entries held now, at most `entriesMax`. */
  get size(): number {
    let size = 0
    for (const { texts, shapes } of this.#meanings.values())
      for (const { young, old } of [texts, shapes]) size += young.size + old.size
    return size
  }

  /** Equal to `analyse(text, options)` of analyse.ts. `options` must not change afterwards. */
  analyse(text: string, options: AnalyseOptions): Analysis {
    const { texts, shapes } = this.#byOptions.get(options) ?? this.#meaning(options)
    const known = this.#get(texts, text)
    if (known !== undefined) return known as Analysis
    const isPlain = options.names.encoding === 'utf8' && options.names.standardConformingStrings
    const short = isPlain && text.length <= NORMALISED_LENGTH_MAX
    const normalised = short ? normalise(text) : undefined
    if (normalised === undefined || normalised.values.length === 0)
      return this.#put(texts, text, analyse(text, options))
    const shape = normalised.key
    const entry = this.#get(shapes, shape)
    if (entry !== undefined && typeof entry !== 'string')
      return fill(entry as Template, text, normalised.values)
    const analysis = analyse(text, options)
    if (entry === 'seen') {
      const again = (other: string): Analysis => analyse(other, options)
      const template = templateOf(text, normalised, { analysis, analyse: again })
      this.#put(shapes, shape, template ?? 'alone')
      if (template !== undefined) return analysis
    } else if (entry === undefined) this.#put(shapes, shape, 'seen')
    return this.#put(texts, text, analysis)
  }

  #meaning(options: AnalyseOptions): Meaning {
    const { names, masked, functionsRead, identityParameter } = options
    const key = JSON.stringify([
      PARSER_VERSION,
      names.key,
      names.catalogue.epoch,
      names.encoding,
      names.standardConformingStrings,
      masked === undefined ? null : masked.key,
      functionsRead,
      identityParameter ?? null,
    ])
    const known = this.#meanings.get(key)
    const meaning = known ?? this.#newMeaning(key)
    this.#byOptions.set(options, meaning)
    return meaning
  }

  /** One too many, and all is forgotten: that costs hits only. */
  #newMeaning(key: string): Meaning {
    if (this.#meanings.size >= MEANINGS_MAX) {
      this.#meanings.clear()
      this.#byOptions = new WeakMap()
      this.#young = 0
      this.#bytes = 0
    }
    const made = new Meaning()
    this.#meanings.set(key, made)
    return made
  }

  #get(entries: Entries, key: string): Entry | undefined {
    const found = entries.young.get(key)
    if (found !== undefined) return found
    const older = entries.old.get(key)
    if (older === undefined) return undefined
    entries.old.delete(key)
    this.#put(entries, key, older)
    return older
  }

  #put<E extends Entry>(entries: Entries, key: string, entry: E): E {
    const bytes = ENTRY_BYTES + 2 * key.length + bytesOf(entry)
    if (bytes > this.#bytesMax / 8) return entry
    if (this.#young >= this.#entriesMax >> 1 || this.#bytes + bytes > this.#bytesMax / 2) {
      for (const { texts, shapes } of this.#meanings.values()) {
        texts.age()
        shapes.age()
      }
      this.#young = 0
      this.#bytes = 0
    }
    // What is written over stays counted: the generation ends a little earlier.
    this.#young++
    entries.young.set(key, entry)
    this.#bytes += bytes
    return entry
  }
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
