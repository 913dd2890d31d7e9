/**
 * Pure. The first room of random statements over the schema of soundness.test.ts: its relations, chance, and what may stand
 * in FROM, each source with the columns that it offers. Statements over them are made in soundness-queries.ts.
 */

/** Newer servers have more to say: OLD and NEW, RETURNING of MERGE, JSON_TABLE. */
export type Version = '15' | '18'

export type Type = 'int' | 'text' | 'date' | 'numeric' | 'json' | 'row' | 'bool'

export interface Column {
  readonly sql: string
  readonly name: string
  readonly type: Type
  readonly masked: boolean
}

export interface Source {
  readonly from: string
  readonly columns: readonly Column[]
  /** Alias of a single relation: it may stand as a whole row. */
  readonly row?: string
  /** All rows have another value in it. */
  readonly key?: string
}

export const PEOPLE: readonly [string, Type, boolean][] = [
  ['id', 'int', false],
  ['name', 'text', false],
  ['city', 'text', false],
  ['email', 'text', true],
  ['ssn', 'text', true],
  ['card', 'text', true],
  ['born', 'date', true],
  ['score', 'int', true],
]
const ORDERS: readonly [string, Type, boolean][] = [
  ['id', 'int', false],
  ['person_id', 'int', false],
  ['status', 'text', false],
  ['code', 'text', true],
]
const MAIL_VIEW: readonly [string, Type, boolean][] = [
  ['id', 'int', false],
  ['email', 'text', true],
  ['loud', 'text', true],
  ['place', 'text', false],
]
const OVER_VIEW: readonly [string, Type, boolean][] = [
  ['id', 'int', false],
  ['mail', 'text', true],
  ['codes', 'int', true],
]
const RELATIONS = { people: PEOPLE, orders: ORDERS, mail_view: MAIL_VIEW, over_view: OVER_VIEW }

/** mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Chance that the seed decides, and what was made so far by it. */
export class Dice {
  readonly constructs = new Set<string>()
  readonly #random: () => number
  #aliases = 0

  constructor(seed: number) {
    this.#random = random(seed * 7919 + 17)
    for (let i = 0; i < 3; i++) this.#random()
  }

  roll(): number {
    return this.#random()
  }

  chance(part: number): boolean {
    return this.#random() < part
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  alias(): string {
    return `t${++this.#aliases}`
  }

  use(construct: string): void {
    this.constructs.add(construct)
  }
}

export class Sources {
  /** To stand in front of the outermost query. */
  readonly ctes: string[] = []
  isRecursive = false
  readonly #dice: Dice
  readonly #version: Version

  constructor(dice: Dice, version: Version) {
    this.#dice = dice
    this.#version = version
  }

  relation(name: keyof typeof RELATIONS): Source {
    if (name.endsWith('view')) this.#dice.use('view')
    const alias = this.#dice.alias()
    return {
      from: `${name} ${alias}`,
      columns: RELATIONS[name].map(([column, type, masked]) => ({
        sql: `${alias}.${column}`,
        name: column,
        type,
        masked,
      })),
      row: alias,
      key: `${alias}.id`,
    }
  }

  source(depth: number): Source {
    const kind = this.#dice.roll()
    if (depth <= 0 || kind < 0.25)
      return this.relation(
        this.#dice.pick(['people', 'people', 'orders', 'mail_view', 'over_view']),
      )
    if (kind < 0.42) return this.#subselect(depth)
    if (kind < 0.55) return this.#cte(depth)
    if (kind < 0.63) return this.#recursion()
    if (kind < 0.75) return this.#joined()
    if (kind < 0.84) return this.#merged()
    if (kind < 0.93) return this.#lateral()
    return this.#withSeries(depth)
  }

  /** Columns under names of their own, of a relation below. */
  #chosen(depth: number): { text: string; columns: readonly Column[]; alias: string } {
    const source = this.source(depth - 1)
    const alias = this.#dice.alias()
    const seen = new Map(source.columns.map((one) => [one.name, one]))
    const chosen = [...seen.values()].filter((one) => one.name === 'id' || this.#dice.chance(0.6))
    const list = chosen.length > 0 ? chosen : [source.columns[0]!]
    const columns = list.map((one) => ({ ...one, sql: `${alias}.${one.name}` }))
    const text = `SELECT ${list.map((one) => `${one.sql} AS ${one.name}`).join(', ')} FROM ${source.from}`
    return { text, columns, alias }
  }

  #subselect(depth: number): Source {
    this.#dice.use('sub-select')
    const { text, columns, alias } = this.#chosen(depth)
    return { from: `(${text}) ${alias}`, columns, row: alias }
  }

  #cte(depth: number): Source {
    this.#dice.use('CTE')
    const { text, columns, alias } = this.#chosen(Math.min(depth, 1))
    const name = `w${alias}`
    this.ctes.push(`${name} AS (${text})`)
    return { from: `${name} ${alias}`, columns, row: alias }
  }

  #recursion(): Source {
    this.#dice.use('recursive CTE')
    this.isRecursive = true
    const alias = this.#dice.alias()
    const name = `w${alias}`
    const column = this.#dice.pick(['email', 'name', 'card'])
    this.ctes.push(
      `${name}(id, v, n) AS (SELECT id, ${column}, 1 FROM people WHERE id < 8 ` +
        `UNION ALL SELECT id, v, n + 1 FROM ${name} WHERE n < 3)`,
    )
    return {
      from: `${name} ${alias}`,
      columns: [
        { sql: `${alias}.id`, name: 'id', type: 'int', masked: false },
        { sql: `${alias}.v`, name: 'v', type: 'text', masked: column !== 'name' },
      ],
      row: alias,
    }
  }

  #joined(): Source {
    this.#dice.use('join')
    const left = this.relation(this.#dice.pick(['people', 'mail_view']))
    const right = this.relation('orders')
    const kind = this.#dice.pick(['JOIN', 'LEFT JOIN', 'FULL JOIN'])
    return {
      from: `${left.from} ${kind} ${right.from} ON ${left.row}.id = ${right.row}.person_id`,
      columns: [...left.columns, ...right.columns],
    }
  }

  #merged(): Source {
    this.#dice.use('USING or natural join')
    const left = this.relation('people')
    const natural = this.#dice.chance(0.3)
    const alias = this.#dice.alias()
    const columns: Column[] = [
      ...left.columns.filter((one) => one.name !== 'id'),
      { sql: 'id', name: 'id', type: 'int', masked: false },
      { sql: `${alias}.place`, name: 'place', type: 'text', masked: false },
    ]
    const right = `(SELECT id, city AS place FROM people WHERE id < 30) ${alias}`
    const from = natural
      ? `${left.from} NATURAL JOIN ${right}`
      : `${left.from} JOIN ${right} USING (id)`
    return { from, columns, key: 'id' }
  }

  #lateral(): Source {
    this.#dice.use('LATERAL')
    const left = this.relation('people')
    const alias = this.#dice.alias()
    const shout = this.#dice.chance(0.5)
    const inner = shout ? `upper(${left.row}.email)` : `${left.row}.name`
    const row = `${inner}, ${left.row}.id + 1`
    const made = this.#dice.pick([`SELECT ${row}`, `VALUES (${row})`])
    return {
      from: `${left.from}, LATERAL (${made}) ${alias}(l, next)`,
      columns: [
        ...left.columns,
        { sql: `${alias}.l`, name: 'l', type: 'text', masked: shout },
        { sql: `${alias}.next`, name: 'next', type: 'int', masked: false },
      ],
    }
  }

  #withSeries(depth: number): Source {
    this.#dice.use('set-returning function')
    const left = this.source(Math.min(depth - 1, 0))
    const alias = this.#dice.alias()
    if (this.#version === '18' && this.#dice.chance(0.4)) {
      this.#dice.use('JSON_TABLE')
      const table = `JSON_TABLE(jsonb '[1, 2]', '$[*]' COLUMNS (n int PATH '$')) AS ${alias}`
      const number = { sql: `${alias}.n`, name: 'n', type: 'int', masked: false } as const
      return { from: `${left.from}, ${table}`, columns: [...left.columns, number] }
    }
    return {
      from: `${left.from}, generate_series(1, 2) AS ${alias}`,
      columns: [...left.columns, { sql: alias, name: alias, type: 'int', masked: false }],
    }
  }
}
