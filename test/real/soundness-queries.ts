/**
 * Pure. Random statements over the sources of soundness-sources.ts, made from a seed: the same seed makes the same ones. Each
 * says which constructs it uses, whether something masked can reach its output, and whether something masked decides.
 */

import {
  type Column,
  Dice,
  PEOPLE,
  type Source,
  Sources,
  type Version,
} from './soundness-sources.ts'

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

const TOTAL_TEXT = [
  (x: string) => `upper(${x})`,
  (x: string) => `length(${x})`,
  (x: string) => `${x} || '!'`,
  (x: string) => `coalesce(${x}, 'none')`,
  (x: string) => `substr(${x}, 2, 3)`,
  (x: string) => `md5(${x})`,
  (x: string) => `concat('<', ${x}, '>')`,
  (x: string) => `ltrim(${x})`,
  (x: string) => `to_json(${x})`,
  (x: string) => `ARRAY[${x}, 'end']`,
  (x: string) => `json_build_array(${x}, 1)`,
  (x: string) => `(SELECT ${x})`,
  (x: string) => `${x} = 'guess'`,
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

export function makeQuery(seed: number, version: Version): Query {
  return new Maker(seed, version).statement()
}

class Maker {
  readonly #dice: Dice
  readonly #sources: Sources
  readonly #version: Version
  #shows = false
  #decides = false

  constructor(seed: number, version: Version) {
    this.#dice = new Dice(seed)
    this.#sources = new Sources(this.#dice, version)
    this.#version = version
  }

  statement(): Query {
    const kind = this.#dice.roll()
    // Neighbours of one seed lie near each other.
    this.#dice.roll()
    let ordered = false
    let text: string
    let before: string[] = []
    let plain = false
    if (kind < 0.44) {
      const made = this.#query(2, true)
      text = made.text
      ordered = made.ordered
      plain = true
    } else if (kind < 0.52) {
      this.#dice.use('cursor')
      before = [`DECLARE cur CURSOR FOR ${this.#query(1, true).text}`]
      text = 'FETCH ALL FROM cur'
    } else if (kind < 0.6) {
      this.#dice.use('prepared statement')
      before = [`PREPARE prep AS ${this.#query(1, true).text}`]
      text = 'EXECUTE prep'
    } else if (kind < 0.68) {
      this.#dice.use('COPY (query)')
      const csv = this.#dice.chance(0.5) ? ' (FORMAT csv)' : ''
      text = `COPY (${this.#query(1, true).text}) TO STDOUT${csv}`
    } else if (kind < 0.73) {
      this.#dice.use('EXPLAIN')
      text = `EXPLAIN (COSTS OFF) SELECT ${this.#dice.chance(0.5) ? 'id, email' : 'id, name'} FROM people`
      this.#shows = text.includes('email')
    } else if (kind < 0.83) text = this.#returning()
    else if (kind < 0.9) text = this.#merge()
    else if (kind < 0.95) {
      this.#dice.use('INSERT … SELECT')
      const clear = this.#dice.pick([true, false, true])
      this.#shows ||= !clear
      text = `INSERT INTO notes (id, body) SELECT id + 1000, ${clear ? 'name' : 'email'} FROM people WHERE id < 20`
    } else {
      this.#dice.use('CREATE TABLE AS')
      const clear = this.#dice.chance(0.6)
      this.#shows ||= !clear
      text = `CREATE TABLE made AS SELECT id, ${clear ? 'city' : 'upper(email) AS e'} FROM people`
    }
    return {
      text,
      before,
      constructs: this.#dice.constructs,
      shows: this.#shows,
      decides: this.#decides,
      ordered,
      plain,
    }
  }

  #returning(): string {
    this.#dice.use('RETURNING')
    const columns = this.#written([''])
    const list = this.#dice.chance(0.2) ? this.#star('*', columns) : this.#items(columns, 3)
    const where = `WHERE id < ${5 + Math.floor(this.#dice.roll() * 20)}`
    const kind = this.#dice.roll()
    if (kind < 0.4) return `UPDATE people SET city = 'moved' ${where} RETURNING ${list}`
    if (kind < 0.7) return `DELETE FROM people ${where} RETURNING ${list}`
    return `INSERT INTO people (id, name, email) VALUES (5000, 'New', 'given') RETURNING ${list}`
  }

  /** The written table's columns, and from PostgreSQL 18 on what they were before and behind. */
  #written(refs: readonly string[]): Column[] {
    const versions = this.#version === '18' ? [...refs, 'old.', 'new.'] : refs
    if (versions.length > refs.length) this.#dice.use('OLD and NEW')
    return versions.flatMap((ref) =>
      PEOPLE.map(([name, type, masked]) => ({ sql: `${ref}${name}`, name, type, masked })),
    )
  }

  #merge(): string {
    this.#dice.use('MERGE')
    // The second has columns of the same names, none of them masked.
    const source = this.#dice.pick([
      'orders s',
      `(SELECT id, name AS email, city AS ssn, 'x' AS card FROM people WHERE id < 30) s`,
      '(SELECT id, email FROM people WHERE id < 9) s',
    ])
    const decides = this.#dice.chance(0.1)
    this.#decides ||= decides
    const when = decides ? `p.email LIKE 'a%'` : 'p.id % 2 = 0'
    const text = `MERGE INTO people p USING ${source} ON p.id = s.id WHEN MATCHED AND ${when}
      THEN UPDATE SET city = 'merged' WHEN MATCHED THEN DELETE
      WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id + 9000, 'made')`
    if (this.#version !== '18') return text
    const columns = this.#written(['p.'])
    if (this.#dice.chance(0.2)) return `${text} RETURNING ${this.#star('old.*', columns)}, s.id`
    return `${text} RETURNING merge_action(), ${this.#items(columns, 3)}`
  }

  #star(star: string, columns: readonly Column[]): string {
    this.#dice.use('star')
    this.#shows ||= columns.some((one) => one.masked)
    return star
  }

  /** A whole query; CTEs stand in front of the outermost. */
  #query(depth: number, outermost: boolean): { text: string; ordered: boolean } {
    if (this.#dice.chance(depth > 0 ? 0.13 : 0)) {
      const text = this.#union(depth)
      return { text: outermost ? this.#withCtes(text) : text, ordered: false }
    }
    const made = this.#select(depth)
    const text = outermost ? this.#withCtes(made.text) : made.text
    return { text, ordered: made.ordered }
  }

  #withCtes(text: string): string {
    if (this.#sources.ctes.length === 0) return text
    return `WITH ${this.#sources.isRecursive ? 'RECURSIVE ' : ''}${this.#sources.ctes.join(', ')} ${text}`
  }

  #union(depth: number): string {
    this.#dice.use('set operation')
    const all = this.#dice.chance(0.75)
    const isSwapped = all && this.#dice.chance(0.4)
    const arms = [0, 1].map((arm) => {
      const source = this.#sources.source(depth - 1)
      const texts = source.columns.filter((one) => one.type === 'text' && (all || !one.masked))
      const column = texts.length > 0 ? this.#dice.pick(texts) : undefined
      this.#shows ||= column?.masked === true
      const list = [`${column?.sql ?? "'x'"} AS v`, ...(isSwapped ? [`'y' AS w`] : [])]
      return `SELECT ${(arm === 0 ? list : list.toReversed()).join(', ')} FROM ${source.from}`
    })
    return `${arms[0]} ${all ? 'UNION ALL' : this.#dice.pick(['UNION', 'INTERSECT', 'EXCEPT'])} ${arms[1]}`
  }

  #select(depth: number): { text: string; ordered: boolean } {
    const source = this.#sources.source(depth)
    const where = this.#where(source)
    if (this.#dice.chance(0.15)) return { text: this.#aggregated(source, where), ordered: false }
    let list: string
    if (source.row !== undefined && this.#dice.chance(0.1)) {
      this.#dice.use('whole row')
      this.#shows ||= source.columns.some((one) => one.masked)
      list = source.row
    } else if (source.row !== undefined && this.#dice.chance(0.15)) {
      this.#dice.use('row_to_json')
      this.#shows ||= source.columns.some((one) => one.masked)
      list = this.#dice.pick([`row_to_json(${source.row})`, `to_jsonb(${source.row})`])
    } else if (this.#dice.chance(0.12)) {
      const star = source.row !== undefined && this.#dice.chance(0.5) ? `${source.row}.*` : '*'
      list = this.#star(star, source.columns)
    } else list = this.#items(source.columns, 1 + Math.floor(this.#dice.roll() * 4))
    if (this.#dice.chance(0.06) && source.row !== undefined) {
      this.#dice.use('window')
      const texts = source.columns.filter((one) => one.type === 'text')
      const over = source.key === undefined ? undefined : `ORDER BY ${source.key}`
      const column = texts.length > 0 ? this.#dice.pick(texts) : undefined
      if (column !== undefined && over !== undefined) {
        this.#shows ||= column.masked
        const frame = this.#dice.pick(['', '', ' ROWS BETWEEN 2 PRECEDING AND CURRENT ROW'])
        const name = frame === '' ? 'lag' : this.#dice.pick(['first_value', 'last_value', 'max'])
        list += `, ${name}(${column.sql}) OVER (${over}${frame}) AS w`
      }
    }
    if (source.key === undefined || this.#dice.chance(0.5))
      return { text: `SELECT ${list} FROM ${source.from}${where}`, ordered: false }
    const limit = this.#dice.chance(0.5) ? ` LIMIT ${1 + Math.floor(this.#dice.roll() * 10)}` : ''
    const text = `SELECT ${list} FROM ${source.from}${where} ORDER BY ${source.key}${limit}`
    return { text, ordered: true }
  }

  #where(source: Source): string {
    const masked = source.columns.filter((one) => one.masked && one.type === 'text')
    if (masked.length > 0 && this.#dice.chance(0.08)) {
      this.#dice.use('predicate on a masked column')
      this.#decides = true
      const { sql } = this.#dice.pick(masked)
      return this.#dice.pick([
        ` WHERE ${sql} LIKE 'a%'`,
        ` WHERE length(${sql}) > 8`,
        ` WHERE ${sql} > 'm'`,
      ])
    }
    const clear = source.columns.filter((one) => !one.masked && one.type === 'int')
    if (this.#dice.chance(0.3) || clear.length === 0) return ''
    const one = this.#dice.pick(clear)
    if (this.#dice.chance(0.25)) {
      this.#dice.use('sub-select in a predicate')
      return ` WHERE ${one.sql} IN (SELECT person_id FROM orders WHERE status = 'open')`
    }
    return ` WHERE ${one.sql} < ${Math.floor(this.#dice.roll() * 40)}`
  }

  #aggregated(source: Source, where: string): string {
    this.#dice.use('aggregate')
    const clear = source.columns.filter((one) => !one.masked && one.type === 'text')
    const parts = ['count(*) AS n']
    for (let at = 0; at < 2; at++) {
      const one = this.#dice.pick(source.columns)
      this.#shows ||= one.masked
      const made =
        one.type === 'text'
          ? this.#dice.pick([
              `min(${one.sql})`,
              `count(${one.sql})`,
              ...(one.masked ? [`array_agg(${one.sql})`, `string_agg(${one.sql}, ',')`] : []),
            ])
          : one.type === 'int'
            ? this.#dice.pick([`sum(${one.sql})`, `max(${one.sql})`, `avg(${one.sql})`])
            : `count(${one.sql})`
      parts.push(made)
    }
    if (clear.length === 0 || this.#dice.chance(0.4))
      return `SELECT ${parts.join(', ')} FROM ${source.from}${where}`
    const key = this.#dice.pick(clear).sql
    const by = this.#dice.pick([key, key, `GROUPING SETS ((${key}), ())`, `ROLLUP (${key})`])
    if (by !== key) this.#dice.use('grouping sets')
    return `SELECT ${key}, ${parts.join(', ')} FROM ${source.from}${where} GROUP BY ${by}`
  }

  #items(columns: readonly Column[], count: number): string {
    const items: string[] = []
    for (let at = 0; at < count; at++) items.push(`${this.#item(columns)} AS c${at}`)
    return items.join(', ')
  }

  #item(columns: readonly Column[]): string {
    const masked = columns.filter((one) => one.masked)
    const one =
      masked.length > 0 && this.#dice.chance(0.5)
        ? this.#dice.pick(masked)
        : this.#dice.pick(columns)
    this.#shows ||= one.masked
    if (this.#dice.chance(0.45)) return one.sql
    if (this.#dice.chance(0.08)) {
      this.#dice.use('scalar sub-select')
      const mail = this.#dice.chance(0.6)
      this.#shows ||= mail
      return `(SELECT ${mail ? 'z.email' : 'z.name'} FROM people z WHERE z.id = 3)`
    }
    if (one.type !== 'text') {
      if (!one.masked) return `${one.sql} * 2`
      this.#dice.use('total function')
      return this.#dice.pick([`${one.sql}::text`, `to_json(${one.sql})`, `${one.sql} IS NULL`])
    }
    if (this.#dice.chance(0.16)) {
      this.#dice.use('function on no list')
      return this.#dice.pick(TELLING)(one.sql)
    }
    if (this.#dice.chance(0.2)) {
      this.#dice.use('CASE')
      const clear = columns.find((each) => !each.masked && each.type === 'int')
      return `CASE WHEN ${clear?.sql ?? '1'} > 10 THEN ${one.sql} ELSE 'few' END`
    }
    this.#dice.use('total function')
    return this.#dice.pick(TOTAL_TEXT)(one.sql)
  }
}
