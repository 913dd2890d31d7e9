/** Pure. What the gateway would make of the steps of one session: names asked for again where a step dirties them. */
import { withNamed } from '../../../../src/protocols/postgres/named.ts'
import { analyse } from '../../../../src/protocols/postgres/sql/analyse.ts'
import type { Names, Statement } from '../../../../src/protocols/postgres/sql/analysis.ts'
import type { Catalogue } from '../../../../src/protocols/postgres/sql/catalogue.ts'
import { buildCatalogue, namesFrom } from '../../../../src/protocols/postgres/sql/catalogue-read.ts'

/** What a database's names mean to all its sessions. */
export class Shared {
  readonly catalogue: Catalogue
  readonly #rows = new Set<string>()

  /** `answer`: to CATALOGUE_TEXT. */
  constructor(answer: string) {
    const catalogue = buildCatalogue(answer, 1)
    if (catalogue === undefined) throw new Error('the catalogue could not be read')
    this.catalogue = catalogue
    const parts = JSON.parse(answer) as Record<string, unknown>
    for (const part of PARTS) for (const row of parts[part] as unknown[]) this.#rows.add(plain(row))
  }

  names(answer: string): Names {
    const names = namesFrom(answer, this.catalogue)
    if (names === undefined) throw new Error('names could not be read')
    return names
  }

  /** The same for two answers to NAMES_TEXT under which every name means the same. */
  meaning(answer: string): string {
    const all = JSON.parse(answer) as Record<string, unknown>
    const own = PARTS.flatMap((part) => (all[part] as unknown[]).map(plain))
    const fresh = own.filter((row) => !this.#rows.has(row)).sort()
    const { path, user, client, strings } = all
    // CLUSTER and its kin lock what they make and drop again.
    const gone = (all.gone as number[]).filter((oid) => this.catalogue.relation(oid) !== undefined)
    return JSON.stringify([path, user, client, strings, gone.sort(), fresh])
  }
}

const PARTS = ['relations', 'routines', 'operators', 'types', 'casts']

/** Lists inside a row come in no order. */
function plain(row: unknown): string {
  return JSON.stringify(
    (row as unknown[]).map((one) =>
      Array.isArray(one) ? [...one].map((each) => JSON.stringify(each)).sort() : one,
    ),
  )
}

export class Reader {
  readonly #shared: Shared
  readonly #made = new Map<string, Statement>()
  #names: string

  constructor(shared: Shared, names: string) {
    this.#shared = shared
    this.#names = names
  }

  /** What names mean to the reader now. */
  get meaning(): string {
    return this.#shared.meaning(this.#names)
  }

  /** undefined for a text without one statement. `names`: the server's answer, as it is before the step. */
  read(text: string): Statement | 'opaque' | undefined {
    const { statements, opaque } = analyse(text, {
      names: this.#shared.names(this.#names),
      masked: undefined,
      functionsRead: [],
      identityParameter: undefined,
    })
    if (opaque !== undefined) return 'opaque'
    const [statement] = statements
    if (statement === undefined) return undefined
    const named = withNamed(statement, (kind, name) => this.#made.get(`${kind} ${name}`))
    return named === 'wait' ? 'opaque' : named
  }

  /** The step ran; `names` is the server's answer after it. */
  ran(statement: Statement, names: string): void {
    const { prepares, declares, dirties } = statement.effect
    if (prepares !== undefined) this.#made.set(`prepared ${prepares.name}`, prepares.body)
    if (declares !== undefined) this.#made.set(`cursor ${declares.name}`, declares.body)
    if (dirties) this.#names = names
  }
}
