/**
 * Pure. Random statements over the schema of soundness.test.ts, made from a seed: the same seed makes the same ones. Each
 * says which constructs it uses, whether something masked can reach its output, and whether something masked decides.
 */

export interface Query {
  readonly text: string
  /** Statements to be run before it, in the same transaction. */
  readonly before: readonly string[]
  readonly constructs: ReadonlySet<string>
  readonly shows: boolean
  readonly decides: boolean
  /** Its rows come in an order that the clear columns decide. */
  readonly ordered: boolean
  /** It may go by the extended protocol, with binary results. */
  readonly plain: boolean
}

type Type = 'int' | 'text' | 'date' | 'numeric' | 'json' | 'row' | 'bool'

interface Column {
  readonly sql: string
  readonly name: string
  readonly type: Type
  readonly masked: boolean
}

interface Source {
  readonly from: string
  readonly columns: readonly Column[]
  /** Alias of a single relation: it may stand as a whole row. */
  readonly row?: string
  /** All rows have another value in it. */
  readonly key?: string
}

const PEOPLE: readonly [string, Type, boolean][] = [
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

const TOTAL_TEXT = [
  (x: string) => `upper(${x})`,
  (x: string) => `length(${x})`,
  (x: string) => `${x} || '!'`,
  (x: string) => `coalesce(${x}, 'none')`,
  (x: string) => `substr(${x}, 2, 3)`,
  (x: string) => `md5(${x})`,
  (x: string) => `concat('<', ${x}, '>')`,
  (x: string) => `ltrim(${x}, 'zq')`,
  (x: string) => `to_json(${x})`,
]
/** On no list, and most of them fail for some values, or say more by being null. */
const TELLING = [
  (x: string) => `1 / (ascii(${x}) - 100)`,
  (x: string) => `${x}::int`,
  // Every other value fits.
  (x: string) => `substring(${x} from '^(?:zqzq)?[0-7]')`,
  (x: string) => `nullif(${x}, 'x')`,
  (x: string) => `regexp_replace(${x}, '[a-m]', '')`,
  (x: string) => `repeat('x', ascii(${x}))`,
]

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

export function makeQuery(seed: number): Query {
  return new Maker(seed).statement()
}

class Maker {
  readonly #random: () => number
  readonly #constructs = new Set<string>()
  readonly #ctes: string[] = []
  #aliases = 0
  #shows = false
  #decides = false
  #recursive = false

  constructor(seed: number) {
    this.#random = random(seed * 7919 + 17)
    for (let i = 0; i < 3; i++) this.#random()
  }

  #chance(part: number): boolean {
    return this.#random() < part
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  #alias(): string {
    return `t${++this.#aliases}`
  }

  #use(construct: string): void {
    this.#constructs.add(construct)
  }

  statement(): Query {
    const kind = this.#random()
    let ordered = false
    let text: string
    let before: string[] = []
    let plain = false
    if (kind < 0.5) {
      const made = this.#query(2, true)
      text = made.text
      ordered = made.ordered
      plain = true
    } else if (kind < 0.58) {
      this.#use('cursor')
      before = [`DECLARE cur CURSOR FOR ${this.#query(1, true).text}`]
      text = 'FETCH ALL FROM cur'
    } else if (kind < 0.66) {
      this.#use('prepared statement')
      before = [`PREPARE prep AS ${this.#query(1, true).text}`]
      text = 'EXECUTE prep'
    } else if (kind < 0.74) {
      this.#use('COPY (query)')
      const csv = this.#chance(0.5) ? ' (FORMAT csv)' : ''
      text = `COPY (${this.#query(1, true).text}) TO STDOUT${csv}`
    } else if (kind < 0.79) {
      this.#use('EXPLAIN')
      text = `EXPLAIN (COSTS OFF) SELECT ${this.#chance(0.5) ? 'id, email' : 'id, name'} FROM people`
      this.#shows = text.includes('email')
    } else if (kind < 0.91) text = this.#returning()
    else if (kind < 0.96) {
      this.#use('INSERT … SELECT')
      const clear = this.#chance(0.6)
      this.#shows ||= !clear
      text = `INSERT INTO notes (id, body) SELECT id + 1000, ${clear ? 'name' : 'email'} FROM people WHERE id < 20`
    } else {
      this.#use('CREATE TABLE AS')
      const clear = this.#chance(0.6)
      this.#shows ||= !clear
      text = `CREATE TABLE made AS SELECT id, ${clear ? 'city' : 'upper(email) AS e'} FROM people`
    }
    return {
      text,
      before,
      constructs: this.#constructs,
      shows: this.#shows,
      decides: this.#decides,
      ordered,
      plain,
    }
  }

  #returning(): string {
    this.#use('RETURNING')
    const columns = PEOPLE.map(([name, type, masked]) => ({ sql: name, name, type, masked }))
    const list = this.#chance(0.2) ? this.#star('*', columns) : this.#items(columns, 3)
    const where = `WHERE id < ${5 + Math.floor(this.#random() * 20)}`
    const kind = this.#random()
    if (kind < 0.4) return `UPDATE people SET city = 'moved' ${where} RETURNING ${list}`
    if (kind < 0.7) return `DELETE FROM people ${where} RETURNING ${list}`
    return `INSERT INTO people (id, name, email) VALUES (5000, 'New', 'given') RETURNING ${list}`
  }

  #star(star: string, columns: readonly Column[]): string {
    this.#use('star')
    this.#shows ||= columns.some((one) => one.masked)
    return star
  }

  /** A whole query; CTEs stand in front of the outermost. */
  #query(depth: number, outermost: boolean): { text: string; ordered: boolean } {
    if (this.#chance(depth > 0 ? 0.13 : 0)) {
      const text = this.#union(depth)
      return { text: outermost ? this.#withCtes(text) : text, ordered: false }
    }
    const made = this.#select(depth)
    const text = outermost ? this.#withCtes(made.text) : made.text
    return { text, ordered: made.ordered }
  }

  #withCtes(text: string): string {
    if (this.#ctes.length === 0) return text
    return `WITH ${this.#recursive ? 'RECURSIVE ' : ''}${this.#ctes.join(', ')} ${text}`
  }

  #union(depth: number): string {
    this.#use('set operation')
    const all = this.#chance(0.75)
    const arms = [0, 1].map(() => {
      const source = this.#source(depth - 1)
      const texts = source.columns.filter((one) => one.type === 'text' && (all || !one.masked))
      const column = texts.length > 0 ? this.#pick(texts) : undefined
      this.#shows ||= column?.masked === true
      return `SELECT ${column?.sql ?? "'x'"} AS v FROM ${source.from}`
    })
    return `${arms[0]} ${all ? 'UNION ALL' : this.#pick(['UNION', 'INTERSECT', 'EXCEPT'])} ${arms[1]}`
  }

  #select(depth: number): { text: string; ordered: boolean } {
    const source = this.#source(depth)
    const where = this.#where(source)
    if (this.#chance(0.15)) return { text: this.#aggregated(source, where), ordered: false }
    let list: string
    if (source.row !== undefined && this.#chance(0.1)) {
      this.#use('whole row')
      this.#shows ||= source.columns.some((one) => one.masked)
      list = source.row
    } else if (source.row !== undefined && this.#chance(0.11)) {
      this.#use('row_to_json')
      this.#shows ||= source.columns.some((one) => one.masked)
      list = this.#pick([`row_to_json(${source.row})`, `to_jsonb(${source.row})`])
    } else if (this.#chance(0.12)) {
      const star = source.row !== undefined && this.#chance(0.5) ? `${source.row}.*` : '*'
      list = this.#star(star, source.columns)
    } else list = this.#items(source.columns, 1 + Math.floor(this.#random() * 4))
    if (this.#chance(0.06) && source.row !== undefined) {
      this.#use('window')
      const texts = source.columns.filter((one) => one.type === 'text')
      const over = source.key === undefined ? undefined : `ORDER BY ${source.key}`
      const column = texts.length > 0 ? this.#pick(texts) : undefined
      if (column !== undefined && over !== undefined) {
        this.#shows ||= column.masked
        list += `, lag(${column.sql}) OVER (${over}) AS w`
      }
    }
    if (source.key === undefined || this.#chance(0.5))
      return { text: `SELECT ${list} FROM ${source.from}${where}`, ordered: false }
    const limit = this.#chance(0.5) ? ` LIMIT ${1 + Math.floor(this.#random() * 10)}` : ''
    const text = `SELECT ${list} FROM ${source.from}${where} ORDER BY ${source.key}${limit}`
    return { text, ordered: true }
  }

  #where(source: Source): string {
    const masked = source.columns.filter((one) => one.masked && one.type === 'text')
    if (masked.length > 0 && this.#chance(0.08)) {
      this.#use('predicate on a masked column')
      this.#decides = true
      const { sql } = this.#pick(masked)
      return this.#pick([
        ` WHERE ${sql} LIKE 'a%'`,
        ` WHERE length(${sql}) > 8`,
        ` WHERE ${sql} > 'm'`,
      ])
    }
    const clear = source.columns.filter((one) => !one.masked && one.type === 'int')
    if (this.#chance(0.3) || clear.length === 0) return ''
    const one = this.#pick(clear)
    if (this.#chance(0.25)) {
      this.#use('sub-select in a predicate')
      return ` WHERE ${one.sql} IN (SELECT person_id FROM orders WHERE status = 'open')`
    }
    return ` WHERE ${one.sql} < ${Math.floor(this.#random() * 40)}`
  }

  #aggregated(source: Source, where: string): string {
    this.#use('aggregate')
    const clear = source.columns.filter((one) => !one.masked && one.type === 'text')
    const parts = ['count(*) AS n']
    for (let at = 0; at < 2; at++) {
      const one = this.#pick(source.columns)
      this.#shows ||= one.masked
      const made =
        one.type === 'text'
          ? this.#pick([
              `min(${one.sql})`,
              `count(${one.sql})`,
              ...(one.masked ? [`array_agg(${one.sql})`, `string_agg(${one.sql}, ',')`] : []),
            ])
          : one.type === 'int'
            ? this.#pick([`sum(${one.sql})`, `max(${one.sql})`, `avg(${one.sql})`])
            : `count(${one.sql})`
      parts.push(made)
    }
    if (clear.length === 0 || this.#chance(0.4))
      return `SELECT ${parts.join(', ')} FROM ${source.from}${where}`
    const key = this.#pick(clear).sql
    return `SELECT ${key}, ${parts.join(', ')} FROM ${source.from}${where} GROUP BY ${key}`
  }

  #items(columns: readonly Column[], count: number): string {
    const items: string[] = []
    for (let at = 0; at < count; at++) items.push(`${this.#item(columns)} AS c${at}`)
    return items.join(', ')
  }

  #item(columns: readonly Column[]): string {
    const masked = columns.filter((one) => one.masked)
    const one = masked.length > 0 && this.#chance(0.5) ? this.#pick(masked) : this.#pick(columns)
    this.#shows ||= one.masked
    if (this.#chance(0.45)) return one.sql
    if (this.#chance(0.08)) {
      this.#use('scalar sub-select')
      const mail = this.#chance(0.6)
      this.#shows ||= mail
      return `(SELECT ${mail ? 'z.email' : 'z.name'} FROM people z WHERE z.id = 3)`
    }
    if (one.type !== 'text') {
      if (!one.masked) return `${one.sql} * 2`
      this.#use('total function')
      return this.#pick([`${one.sql}::text`, `to_json(${one.sql})`, `${one.sql} IS NULL`])
    }
    if (this.#chance(0.16)) {
      this.#use('function on no list')
      return this.#pick(TELLING)(one.sql)
    }
    if (this.#chance(0.2)) {
      this.#use('CASE')
      const clear = columns.find((each) => !each.masked && each.type === 'int')
      return `CASE WHEN ${clear?.sql ?? '1'} > 10 THEN ${one.sql} ELSE 'few' END`
    }
    this.#use('total function')
    return this.#pick(TOTAL_TEXT)(one.sql)
  }

  #relation(name: keyof typeof RELATIONS): Source {
    if (name.endsWith('view')) this.#use('view')
    const alias = this.#alias()
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

  #source(depth: number): Source {
    const kind = this.#random()
    if (depth <= 0 || kind < 0.25)
      return this.#relation(this.#pick(['people', 'people', 'orders', 'mail_view', 'over_view']))
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
    const source = this.#source(depth - 1)
    const alias = this.#alias()
    const seen = new Map(source.columns.map((one) => [one.name, one]))
    const chosen = [...seen.values()].filter((one) => one.name === 'id' || this.#chance(0.6))
    const list = chosen.length > 0 ? chosen : [source.columns[0]!]
    const columns = list.map((one) => ({ ...one, sql: `${alias}.${one.name}` }))
    const text = `SELECT ${list.map((one) => `${one.sql} AS ${one.name}`).join(', ')} FROM ${source.from}`
    return { text, columns, alias }
  }

  #subselect(depth: number): Source {
    this.#use('sub-select')
    const { text, columns, alias } = this.#chosen(depth)
    return { from: `(${text}) ${alias}`, columns, row: alias }
  }

  #cte(depth: number): Source {
    this.#use('CTE')
    const { text, columns, alias } = this.#chosen(Math.min(depth, 1))
    const name = `w${alias}`
    this.#ctes.push(`${name} AS (${text})`)
    return { from: `${name} ${alias}`, columns, row: alias }
  }

  #recursion(): Source {
    this.#use('recursive CTE')
    this.#recursive = true
    const alias = this.#alias()
    const name = `w${alias}`
    const column = this.#pick(['email', 'name', 'card'])
    this.#ctes.push(
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
    this.#use('join')
    const left = this.#relation(this.#pick(['people', 'mail_view']))
    const right = this.#relation('orders')
    const kind = this.#pick(['JOIN', 'LEFT JOIN', 'FULL JOIN'])
    return {
      from: `${left.from} ${kind} ${right.from} ON ${left.row}.id = ${right.row}.person_id`,
      columns: [...left.columns, ...right.columns],
    }
  }

  #merged(): Source {
    this.#use('USING or natural join')
    const left = this.#relation('people')
    const natural = this.#chance(0.3)
    const alias = this.#alias()
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
    this.#use('LATERAL')
    const left = this.#relation('people')
    const alias = this.#alias()
    const shout = this.#chance(0.5)
    const inner = shout ? `upper(${left.row}.email)` : `${left.row}.name`
    return {
      from: `${left.from}, LATERAL (SELECT ${inner} AS l, ${left.row}.id + 1 AS next) ${alias}`,
      columns: [
        ...left.columns,
        { sql: `${alias}.l`, name: 'l', type: 'text', masked: shout },
        { sql: `${alias}.next`, name: 'next', type: 'int', masked: false },
      ],
    }
  }

  #withSeries(depth: number): Source {
    this.#use('set-returning function')
    const left = this.#source(Math.min(depth - 1, 0))
    const alias = this.#alias()
    return {
      from: `${left.from}, generate_series(1, 2) AS ${alias}`,
      columns: [...left.columns, { sql: alias, name: alias, type: 'int', masked: false }],
    }
  }
}
