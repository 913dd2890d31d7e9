/**
 * IO (the clock). What following the columns of a statement costs, apart from the parse: a join of two wide tables that
 * names 200 columns, four of them masked, walked anew each time; and found again, from the bytes of a Parse that comes
 * again to what each of its columns is. What then is done with the finding is not measured here.
 */
import type { ColumnMask } from '../../src/mask/plan.ts'
import { maskedColumns } from '../../src/mask/resolve-masks.ts'
import { readParse } from '../../src/protocols/postgres/read.ts'
import type { AnalyseOptions } from '../../src/protocols/postgres/sql/analysis.ts'
import { catalogueOf, type Relation } from '../../src/protocols/postgres/sql/catalogue.ts'
import { FactsCache } from '../../src/protocols/postgres/sql/facts-cache.ts'
import { INITDB } from '../../src/protocols/postgres/sql/initdb-names.ts'
import { walked } from '../../src/protocols/postgres/sql/lineage/lineage.ts'
import { loadParser, parse } from '../../src/protocols/postgres/sql/parse.ts'
import { quantile } from '../judge.ts'
import type { Findings } from '../load/works.ts'

const ROUNDS = 9
const DROPPED = 2
const COLUMNS = 100

/** Throws when the outputs are not those expected: a wrong answer would be measured as a quick one. */
export async function lineage(isQuick: boolean): Promise<Findings> {
  await loadParser()
  const runMs = isQuick ? 60 : 300
  const options = OPTIONS
  const parsed = parse(TEXT)
  const stmt = 'statements' in parsed ? parsed.statements[0]?.stmt : undefined
  if (stmt === undefined) throw new Error('bench: the statement cannot be parsed')
  const cache = new FactsCache({ entriesMax: 100 })
  cache.analyse(TEXT, options)
  const cold: number[] = []
  const cached: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const anew = microseconds(runMs, 1, () => hidden(walked(stmt, options).masks))
    const found = microseconds(runMs, 200, () => hidden(again(cache, options)))
    if (round < DROPPED) continue
    cold.push(anew)
    cached.push(found)
  }
  return {
    results: [
      { name: 'lineage of 200 columns, cold, µs', values: cold },
      { name: 'lineage of 200 columns, cached, µs', values: cached },
    ],
    absolute: {},
  }
}

/** As for every Parse: the frame is read, and its text looked up under the session's names and masks. */
function again(cache: FactsCache, options: AnalyseOptions) {
  const text = readParse(PARSE, 0, PARSE.length)?.text
  return text === undefined ? [] : cache.analyse(text, options).statements[0]?.mask.outputs
}

function hidden(masks: readonly unknown[] | undefined): boolean {
  return masks?.length === 2 * COLUMNS && masks[3] !== null && masks[4] === null
}

/** Of one call: the median of batches, so that what other processes take of the machine is in none or few of them. */
function microseconds(runMs: number, batch: number, act: () => boolean): number {
  const begin = performance.now()
  const took: number[] = []
  for (let now = begin; now - begin < runMs; ) {
    for (let i = 0; i < batch; i++) if (!act()) throw new Error('bench: wrong outputs')
    const then = performance.now()
    took.push(((then - now) * 1000) / batch)
    now = then
  }
  return quantile(took, 0.5)
}

function table(oid: number, name: string): Relation {
  const columns = Array.from({ length: COLUMNS }, (_, at) => ({
    number: at + 1,
    name: `${name}_${at}`,
    typeOid: 25,
    notNull: false,
    generatedFrom: [],
  }))
  return {
    oid,
    schema: 'public',
    name,
    kind: 'r',
    temporary: false,
    columns,
    uniqueKeys: [[1]],
    children: [],
    parents: [],
    cascades: [],
    triggers: [],
    insteadOfTriggers: false,
    rules: false,
    reads: [],
    calls: [],
  }
}

const MASK: ColumnMask = {
  transform: { type: 'redact' },
  inPredicates: 'deny',
  derived: 'mask',
  monitor: false,
  rule: 'bench/0',
  name: 'bench',
}
const MARKED = new Map([
  [4, MASK],
  [9, MASK],
])

const LEFT = table(20001, 'a')
const RIGHT = table(20002, 'b')
const TEXT = `SELECT ${[...LEFT.columns, ...RIGHT.columns]
  .map(({ name }) => `${name.startsWith('a') ? 'a' : 'b'}.${name}`)
  .join(', ')} FROM a JOIN b ON a.a_0 = b.b_0 WHERE a.a_1 > $1 ORDER BY a.a_0`

const BODY = Buffer.from(`\0${TEXT}\0\0\0`)
const PARSE = Buffer.concat([Buffer.from('P\0\0\0\0'), BODY])
PARSE.writeInt32BE(PARSE.length - 1, 1)

const OPTIONS: AnalyseOptions = {
  names: {
    catalogue: catalogueOf({
      serverVersion: 180000,
      epoch: 1,
      relations: [LEFT, RIGHT],
      routines: [],
      operators: [],
      types: [],
      casts: [],
      builtIn: INITDB,
    }),
    searchPath: ['pg_catalog', 'public'],
    currentUser: 'bench',
    own: [],
    key: 'bench',
    encoding: 'utf8',
    standardConformingStrings: true,
  },
  masked: maskedColumns(
    new Map([
      [LEFT.oid, MARKED],
      [RIGHT.oid, MARKED],
    ]),
    'bench',
  ),
  functionsRead: [],
  identityParameter: undefined,
}
