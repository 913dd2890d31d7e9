/**
 * Pure. Reads the answers to the texts of `catalogue-query.ts`. What comes from a target is not trusted to have
 * the shape that was asked for: anything else gives undefined, and the caller then refuses.
 */
import { createHash } from 'node:crypto'
import type { Names } from './analysis.ts'
import {
  type Cast,
  type Catalogue,
  type Column,
  catalogueOf,
  type Operator,
  overlay,
  type Relation,
  type Routine,
  type Type,
} from './catalogue.ts'
import type { Part } from './catalogue-objects.ts'
import { searchPathOf } from './search-path.ts'

/** The shared catalogue from the answer to CATALOGUE_TEXT; undefined when it is not such an answer. */
export function buildCatalogue(json: string, epoch: number): Catalogue | undefined {
  return attempt(() => {
    const answer = object(JSON.parse(json))
    const builtIn = object(answer.builtIn)
    return catalogueOf({
      serverVersion: whole(answer.version),
      epoch,
      ...objects(answer),
      builtIn: {
        routines: words(builtIn.routines),
        volatile: words(builtIn.volatile),
        operators: words(builtIn.operators),
        types: words(builtIn.types),
      },
    })
  })
}

/** Objects of the parts that a text of `catalogue-look.ts` asked for; undefined as above. */
export function objectsFrom(json: string, parts: readonly Part[]): Partial<Loaded> | undefined {
  return attempt(() => {
    const answer = object(JSON.parse(json))
    return Object.fromEntries(parts.map((part) => [part, READ[part](answer[part])]))
  })
}

/** What one session sees, from the answer to NAMES_TEXT on its own connection; undefined as above. */
export function namesFrom(json: string, shared: Catalogue): Names | undefined {
  return attempt(() => namesOf(object(JSON.parse(json)), shared))
}

/** As namesFrom, from the answer to IDLE_NAMES_TEXT; 'more': only NAMES_TEXT can tell. */
export function idleNamesFrom(json: string, shared: Catalogue): Names | 'more' | undefined {
  return attempt(() => {
    const answer = object(JSON.parse(json))
    if (answer.path === null || text(answer.temporary) !== '0') return 'more'
    const { path, user, setting, client, server, strings } = answer
    const version = whole(Number(text(answer.version)))
    // As NAMES_TEXT would have answered, in its order: the same names have the same key.
    const all = { path, usable: null, user, setting, version, client, server, strings }
    return namesOf({ ...all, temporary: null, ...NOTHING_OWN }, shared)
  })
}

const NOTHING_OWN = { gone: [], relations: [], routines: [], operators: [], types: [], casts: [] }

function namesOf(answer: Readonly<Record<string, unknown>>, shared: Catalogue): Names {
  const temporary = answer.temporary === null ? undefined : text(answer.temporary)
  const own = { ...objects(answer), gone: list(answer.gone).map(whole) }
  const user = text(answer.user)
  const path =
    answer.path === null
      ? searchPathOf(text(answer.setting), user, list(answer.usable).map(text))
      : list(answer.path).map(text)
  if (path === undefined) throw new Unlike()
  const client = text(answer.client)
  const server = text(answer.server)
  const utf8 = server === 'UTF8' && (client === 'UTF8' || client === 'SQL_ASCII')
  const told = JSON.stringify(answer)
  return {
    catalogue: isEmpty(own) ? shared : overlay(shared, own),
    ownObjects: own,
    searchPath: path.map((one) => (one === temporary ? 'pg_temp' : one)),
    currentUser: user,
    own: own.relations,
    key: `${shared.epoch}:${createHash('sha256').update(told).digest('base64url')}`,
    encoding: utf8 ? 'utf8' : 'other',
    sending: sendingOf(server, client),
    standardConformingStrings: text(answer.strings) === 'on',
    temporarySchema: temporary,
  }
}

/** Towards UTF-8 every text of another encoding has its like; from plain bytes towards plain bytes nothing is looked at. */
function sendingOf(server: string, client: string): Names['sending'] {
  if (client === server || client === 'SQL_ASCII') return undefined
  if (client !== 'UTF8') return 'fails'
  return server === 'SQL_ASCII' ? 'cuts' : undefined
}

function isEmpty(own: { readonly [part: string]: readonly unknown[] }): boolean {
  return Object.values(own).every((part) => part.length === 0)
}

/** Which range a multirange belongs to is no column before PostgreSQL 14: it might be any. */
export function withRanges(types: readonly Type[]): readonly Type[] {
  const ranges = types.filter((one) => one.kind === 'r').map((one) => one.oid)
  const isOld = (one: Type) => one.kind === 'm' && one.uses.join() !== ranges.join()
  if (!types.some(isOld)) return types
  return types.map((one) => (one.kind === 'm' ? { ...one, uses: ranges } : one))
}

const READ = {
  relations: (part: unknown) => list(part).map(relation),
  routines: (part: unknown) => list(part).map(routine),
  operators: (part: unknown) => list(part).map(operator),
  types: (part: unknown) => withRanges(list(part).map(type)),
  casts: (part: unknown) => list(part).map(cast),
}

export type Loaded = { readonly [part in Part]: ReturnType<(typeof READ)[part]> }

function objects(answer: Readonly<Record<string, unknown>>) {
  return {
    relations: READ.relations(answer.relations),
    routines: READ.routines(answer.routines),
    operators: READ.operators(answer.operators),
    types: READ.types(answer.types),
    casts: READ.casts(answer.casts),
  }
}

function relation(value: unknown): Relation {
  const row = list(value)
  const triggers = optional(row[10]).map((one) => list(one))
  return {
    oid: whole(row[0]),
    schema: text(row[1]),
    name: text(row[2]),
    kind: text(row[3]),
    temporary: row[4] === true,
    columns: optional(row[5])
      .map(column)
      .sort((a, b) => a.number - b.number),
    uniqueKeys: optional(row[6]).map((one) => list(one).map(whole)),
    children: optional(row[7]).map(whole),
    parents: optional(row[8]).map(whole),
    cascades: [...new Set(optional(row[9]).map(whole))],
    referencedBy: [...new Set(optional(row[14]).map(whole))],
    triggers: triggers.map((one) => text(one[0])),
    insteadOfTriggers: triggers.some((one) => (whole(one[1]) & TRIGGER_INSTEAD) !== 0),
    rules: optional(row[11]).length > 0,
    reads: optional(row[12]).map((one) => {
      const pair = list(one)
      return { relation: whole(pair[0]), column: whole(pair[1]) }
    }),
    calls: optional(row[13]).map(whole),
    ...(triggers.some((one) => one[2] === SKIPS_EQUAL_OID) ? { skipsEqual: true } : {}),
    ...(typeof row[15] === 'string' ? { tree: row[15] } : {}),
  }
}

/** TRIGGER_TYPE_INSTEAD of pg_trigger.tgtype. */
const TRIGGER_INSTEAD = 64
/** suppress_redundant_updates_trigger() */
const SKIPS_EQUAL_OID = 1291

function column(value: unknown): Column {
  const row = list(value)
  const generated = optional(row[4])
  const isComputed = Array.isArray(generated[0])
  return {
    number: whole(row[0]),
    name: text(row[1]),
    typeOid: whole(row[2]),
    notNull: row[3] === true,
    generatedFrom: (isComputed ? list(generated[0]) : generated).map(whole),
    ...(isComputed ? { computed: text(generated[1]) } : {}),
  }
}

function routine(value: unknown): Routine {
  const row = list(value)
  return {
    oid: whole(row[0]),
    schema: text(row[1]),
    name: text(row[2]),
    kind: text(row[3]),
    volatility: text(row[4]),
    extension: row[5] === null ? undefined : text(row[5]),
    asOwner: row[6] !== false,
  }
}

function operator(value: unknown): Operator {
  const row = list(value)
  return { schema: text(row[0]), name: text(row[1]), routine: whole(row[2]) }
}

function type(value: unknown): Type {
  const row = list(value)
  return {
    oid: whole(row[0]),
    schema: text(row[1]),
    name: text(row[2]),
    kind: text(row[3]),
    extension: row[4] === null ? undefined : text(row[4]),
    calls: optional(row[5]).map(whole),
    uses: optional(row[6]).map(whole),
  }
}

function cast(value: unknown): Cast {
  const row = list(value)
  return {
    source: whole(row[0]),
    target: whole(row[1]),
    routine: whole(row[2]),
    context: text(row[3]),
  }
}

/** Why an answer could not be read; never leaves this file. */
class Unlike extends Error {}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Unlike || error instanceof SyntaxError) return undefined
    throw error
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unlike()
  return value as Readonly<Record<string, unknown>>
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unlike()
  return value
}

function optional(value: unknown): readonly unknown[] {
  return value === null ? [] : list(value)
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Unlike()
  return value
}

function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Unlike()
  return value
}

function words(value: unknown): ReadonlySet<string> {
  return new Set(text(value).split(' '))
}
