/**
 * Pure. What two looks at a target's catalogue say together: which objects to load, and what the catalogue is then.
 *
 * The answer to a look (`catalogue-look.ts`) is read as little trusted as any other; one that cannot be read, or of
 * another server, leaves nothing but a whole load.
 */
import { type Catalogue, type CatalogueParts, catalogueOf, FIRST_USER_OID } from './catalogue.ts'
import { ALL_SOURCES, type Choice, partsOf, type Seen, type Source } from './catalogue-look.ts'
import { objectsFrom, withRanges } from './catalogue-read.ts'
import { placeOf } from './server-place.ts'

export interface Look {
  /** To be handed to the next look, once what it lists is loaded. */
  readonly seen: Seen
  /** undefined: everything must be loaded. */
  readonly choice: Choice | undefined
  /** Which settings the session has that asked: as an answer to NAMES_TEXT. */
  readonly names: string
}

/** Beyond this an answer of many joins is quicker than one of many sub-selects. */
const CHOSEN_MAX = 300
/** So long ago that ages of transactions mean nothing any more. */
const BEHIND_MAX = 1_000_000_000

export function lookFrom(json: string, former: Seen | undefined): Look | undefined {
  const answer = objectIn(json)
  if (answer === undefined) return undefined
  const since = Number(answer.since)
  const { version, server, extensions, behind } = answer
  const schemas = schemasIn(answer.schemas)
  const columns = entriesIn(answer.columns)
  if (!Number.isSafeInteger(since) || typeof version !== 'number') return undefined
  const place = placeOf(answer)
  if (typeof server !== 'string' || place === undefined) return undefined
  if (schemas === undefined || columns === undefined || typeof behind !== 'number') return undefined
  const sources: Partial<Record<Source, ReadonlySet<string>>> = {}
  for (const source of ALL_SOURCES) {
    const listed = answer[source] === null ? former?.sources[source] : entriesIn(answer[source])
    if (listed === undefined) return undefined
    sources[source] = listed
  }
  const seen: Seen = {
    since,
    version,
    server,
    place,
    schemas,
    paths: JSON.stringify(answer.schemas),
    extensions: typeof extensions === 'string' ? extensions : '',
    sources: sources as Seen['sources'],
    columns,
  }
  const isFar = behind < 0 || behind > BEHIND_MAX
  const choice = former === undefined || isFar ? undefined : choose(former, seen)
  return { seen, choice, names: JSON.stringify(answer.names) }
}

/** Nothing at all has changed between two looks. */
export function isUnchanged(before: Seen, now: Seen): boolean {
  return (
    before.paths === now.paths &&
    isSameServer(before, now) &&
    before.extensions === now.extensions &&
    [...now.columns].every((entry) => before.columns.has(entry)) &&
    ALL_SOURCES.every((one) => difference(before.sources[one], now.sources[one]).length === 0)
  )
}

/** Lists that were not asked for again are those of `one`, or of nobody. */
export function isSameServer(one: Seen, other: Seen): boolean {
  return one.version === other.version && one.server === other.server && one.place === other.place
}

function choose(before: Seen, now: Seen): Choice | undefined {
  if (!isSameServer(before, now) || before.extensions !== now.extensions) return undefined
  for (const [oid, name] of before.schemas)
    if ((now.schemas.get(oid) ?? name) !== name) return undefined
  const changed = (source: Source) => difference(before.sources[source], now.sources[source])
  const relations = new Set(changed('relations').map((entry) => numberAt(entry, 1)))
  for (const source of ['indexes', 'triggers', 'rules'] as const)
    for (const entry of changed(source)) relations.add(numberAt(entry, 2))
  for (const entry of changed('inherits')) relations.add(numberAt(entry, 1)).add(numberAt(entry, 2))
  const types = new Set(changed('types').map((entry) => numberAt(entry, 1)))
  for (const entry of changed('constraints')) {
    relations.add(numberAt(entry, 2))
    types.add(numberAt(entry, 3))
  }
  for (const entry of now.columns) if (!before.columns.has(entry)) relations.add(numberAt(entry, 1))
  const choice = {
    relations: among(relations, now.sources.relations),
    routines: among(
      changed('routines').map((entry) => numberAt(entry, 1)),
      now.sources.routines,
    ),
    types: among(types, now.sources.types),
    operators: changed('operators').length > 0,
    casts: changed('casts').length > 0,
  }
  const many = choice.relations.length + choice.routines.length + choice.types.length
  return many > CHOSEN_MAX ? undefined : choice
}

/** Entries that only one of both has. */
function difference(one: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  if (one === other) return []
  return [...one]
    .filter((entry) => !other.has(entry))
    .concat([...other].filter((entry) => !one.has(entry)))
}

/** Those that there still are. */
function among(oids: Iterable<number>, entries: ReadonlySet<string>): number[] {
  const chosen = [...new Set(oids)]
  if (chosen.length === 0) return chosen
  const there = rowsOf(entries)
  return chosen.filter((oid) => there.has(oid))
}

const rows = new WeakMap<ReadonlySet<string>, ReadonlySet<number>>()

/** The rows' own numbers; worked out once for a list. */
function rowsOf(entries: ReadonlySet<string>): ReadonlySet<number> {
  const known = rows.get(entries)
  if (known !== undefined) return known
  const made = new Set([...entries].map((entry) => numberAt(entry, 1)))
  rows.set(entries, made)
  return made
}

function numberAt(entry: string, place: number): number {
  return Number(entry.split(':')[place] ?? 0)
}

/** A list as `catalogue-look.ts` asks for it; undefined when it is none. */
function entriesIn(value: unknown): ReadonlySet<string> | undefined {
  if (typeof value !== 'string' || !/^[0-9: ]*$/.test(value)) return undefined
  return new Set(value === '' ? [] : value.split(' '))
}

function objectIn(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(json)
    return typeof read === 'object' && read !== null ? { ...read } : undefined
  } catch {
    return undefined
  }
}

function schemasIn(value: unknown): Map<number, string> | undefined {
  if (!Array.isArray(value)) return undefined
  const schemas = new Map<number, string>()
  for (const pair of value) {
    if (!Array.isArray(pair)) return undefined
    const [oid, name] = pair as unknown[]
    if (typeof oid !== 'number' || typeof name !== 'string') return undefined
    schemas.set(oid, name)
  }
  return schemas
}

/** `former` without what is gone, and with what was loaded; undefined when the answer cannot be read. */
export function renewCatalogue(
  former: CatalogueParts,
  renewed: {
    readonly look: Look
    readonly choice: Choice
    /** Answer to `chosenText`; not asked for where nothing was chosen. */
    readonly json: string | undefined
    readonly epoch: number
  },
): Catalogue | undefined {
  const { look, choice, json, epoch } = renewed
  const parts = partsOf(choice)
  const loaded = parts.length === 0 ? {} : json === undefined ? undefined : objectsFrom(json, parts)
  if (loaded === undefined) return undefined
  const { sources } = look.seen
  return catalogueOf({
    ...former,
    relations: merged(former.relations, loaded.relations, {
      there: rowsOf(sources.relations),
      chosen: choice.relations,
    }),
    routines: merged(former.routines, loaded.routines, {
      there: rowsOf(sources.routines),
      chosen: choice.routines,
    }),
    types: withRanges(
      merged(former.types, loaded.types, { there: rowsOf(sources.types), chosen: choice.types }),
    ),
    operators: loaded.operators ?? former.operators,
    casts: loaded.casts ?? former.casts,
    epoch,
  })
}

function merged<T extends { readonly oid: number }>(
  former: readonly T[],
  loaded: readonly T[] | undefined,
  about: { readonly there: ReadonlySet<number>; readonly chosen: readonly number[] },
): readonly T[] {
  const fresh = new Set(about.chosen)
  for (const one of loaded ?? []) fresh.add(one.oid)
  const stays = ({ oid }: T) => !fresh.has(oid) && (oid < FIRST_USER_OID || about.there.has(oid))
  if (fresh.size === 0 && former.every(stays)) return former
  return [...former.filter(stays), ...(loaded ?? [])]
}
