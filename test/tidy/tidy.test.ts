import { describe, expect, test } from 'vitest'
import { exists, packageOf, type Source, sources, withoutComments } from './sources.ts'

const product = sources('src', 'workers')
const all = sources('src', 'workers', 'bench')
const pure = product.filter(({ kind }) => kind === 'Pure')

/** Paths of the sources that a rule is broken in, so that a failure names them. */
function broken(among: readonly Source[], breaks: (source: Source) => boolean): string[] {
  return among.filter(breaks).map(({ path }) => path)
}

function has(source: Source, pattern: RegExp): boolean {
  return pattern.test(withoutComments(source.text))
}

describe('heads and names', () => {
  test('every file says first whether it is Pure or IO', () => {
    expect(broken(all, ({ kind }) => kind === undefined)).toEqual([])
  })

  test('no file is named for nothing', () => {
    const empty = /(^|[/-])(utils?|helpers?|common|misc|types|manager|service)(-|\.ts$|\/)/
    expect(broken(all, ({ path }) => empty.test(path))).toEqual([])
  })

  test('file names are lower-case words with hyphens', () => {
    const name = /^([a-z0-9-]+\/)+[0-9a-z-]+(\.d)?\.ts$/
    expect(broken(all, ({ path }) => !name.test(path))).toEqual([])
  })

  test('nothing is left for later, and no rule is switched off', () => {
    const left = /\b(TODO|FIXME|XXX|HACK)\b|@ts-(ignore|nocheck)/
    expect(broken(all, ({ text }) => left.test(text))).toEqual([])
    expect(broken(all, (source) => has(source, /(:|\bas|<) ?any\b/))).toEqual([])
  })

  test('the words of the vocabulary are used', () => {
    expect(broken(product, (source) => has(source, /\b(downstream|principal)\b/i))).toEqual([])
  })
})

describe('sizes', () => {
  test('a file has at most 400 lines', () => {
    expect(broken(all, ({ lines }) => lines.length > 400)).toEqual([])
  })

  test('a file in workers has at most 60 lines', () => {
    const workers = sources('workers')
    expect(broken(workers, ({ lines }) => lines.length > 60)).toEqual([])
  })

  test('a function has at most 70 lines', () => {
    const long = all.flatMap((source) => longFunctions(source, 70))
    expect(long).toEqual([])
  })
})

describe('pure code', () => {
  test('imports nothing that reaches the world', () => {
    const world =
      /^node:(net|tls|fs|http2?|https|dgram|dns|worker_threads|child_process|cluster)(\/|$)/
    const reaches = (source: Source): boolean =>
      source.imports.some(({ from, isType }) => !isType && world.test(from))
    expect(broken(pure, reaches)).toEqual([])
  })

  test('imports no IO file', () => {
    const kinds = new Map(product.map(({ path, kind }) => [path, kind]))
    const reaches = (source: Source): boolean =>
      source.imports.some(
        ({ file, isType }) => !isType && file !== undefined && kinds.get(file) === 'IO',
      )
    expect(broken(pure, reaches)).toEqual([])
  })

  test('reads neither a clock nor randomness', () => {
    const chance =
      /\b(Date\.now|performance\.now|Math\.random|randomBytes|randomUUID|randomInt|randomFillSync)\(|new Date\(\)/
    expect(broken(pure, (source) => has(source, chance))).toEqual([])
  })

  test('has its test at the mirrored path', () => {
    // Types and tables of constants have nothing to try.
    const acts = /^export (async )?(function|class)\b|^export const \w+[^=]*= (async )?(\(|\w+ =>)/m
    const untested = (source: Source): boolean =>
      acts.test(source.text) && !exists(testOf(source.path))
    expect(broken(pure, untested)).toEqual([])
  })
})

describe('imports', () => {
  test('one package has one door, and adding one is a line here', () => {
    const doors = new Map<string, string[]>()
    for (const { path, imports } of product) {
      for (const name of new Set(imports.map(({ from }) => packageOf(from)))) {
        if (name !== undefined) doors.set(name, [...(doors.get(name) ?? []), path])
      }
    }
    const expected = new Map(Object.entries(DOORS).map(([name, path]) => [name, [path]]))
    expect(doors).toEqual(expected)
  })

  test('relative ones name a file that exists, with its ending', () => {
    const lost = (source: Source): boolean =>
      source.imports.some(({ file }) => file !== undefined && !exists(file))
    expect(broken(all, lost)).toEqual([])
  })

  test('there is no cycle', () => {
    expect(cycles(product)).toEqual([])
  })

  test('point one way', () => {
    const against = product.flatMap(({ path, imports }) =>
      imports
        .filter(({ file, isType }) => file !== undefined && !isType && rank(file) > rank(path))
        .map(({ file }) => `${path} → ${file}`),
    )
    expect(against).toEqual([])
  })

  test('protocols know neither the decision nor each other', () => {
    const folder = (path: string): string => path.split('/')[2] ?? ''
    const wrong = product
      .filter(({ path }) => /^src\/protocols\/[^/]+\//.test(path))
      .filter(({ path, imports }) =>
        imports.some(({ file }) => {
          if (file === 'src/decide/decide.ts') return true
          const inside = file !== undefined && /^src\/protocols\/[^/]+\//.test(file)
          return inside && ![folder(path), 'http'].includes(folder(file))
        }),
      )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  test('the product does not import its tests, benches or deploy', () => {
    const out = (source: Source): boolean =>
      source.imports.some(({ file }) => file !== undefined && /^(test|bench|deploy)\//.test(file))
    expect(broken(product, out)).toEqual([])
  })
})

describe('what must not be done by accident', () => {
  test('a Grant is minted in one place', () => {
    const places = broken(product, (source) => has(source, /\bas (unknown as )?Grant\b/))
    expect(places.filter((path) => path !== 'src/decide/grant.ts')).toEqual([])
  })

  test('bytes are not cut by slice, which copies or not depending on who made them', () => {
    const cuts = product.filter(({ path }) =>
      /^src\/(protocols|relay|mask|accept|record)\//.test(path),
    )
    expect(broken(cuts, (source) => has(source, /\.slice\(/))).toEqual([])
  })

  test('tests are neither skipped nor run alone', () => {
    const tests = sources('test').filter(({ path }) => path !== 'test/tidy/tidy.test.ts')
    const some = /\b(it|test|describe)\.(only|skip|todo|fails)\b/
    expect(broken(tests, (source) => has(source, some))).toEqual([])
  })
})

const DOORS: Readonly<Record<string, string>> = {
  '@clickhouse/client': 'src/record/clickhouse.ts',
  '@electric-sql/pglite': 'src/control/state/state.ts',
  'age-encryption': 'src/record/age.ts',
  '@marcbachmann/cel-js': 'src/decide/rule.ts',
  commander: 'src/cli/program.ts',
  koffi: 'src/base/libc.ts',
  'libpg-query': 'src/protocols/postgres/sql/parse.ts',
  msgpackr: 'src/record/encode.ts',
  pg: 'src/demo/client.ts',
  'pg-protocol': 'src/protocols/postgres/write.ts',
  pino: 'src/base/log.ts',
  piscina: 'src/threads/pool.ts',
  'prom-client': 'src/control/metrics.ts',
  re2: 'src/base/pattern.ts',
  'uWebSockets.js': 'src/control/http.ts',
  yaml: 'src/config/yaml.ts',
  zod: 'src/config/fields.ts',
}

function testOf(path: string): string {
  return path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')
}

const RANKS: readonly (readonly string[])[] = [
  // What threads say to each other is plain data that all of them share.
  ['base', 'threads/messages.ts', 'config/shape.ts', 'identify/identity.ts'],
  // A protocol's conversation is made of lanes and ledgers, and it dials and shakes hands over wires.
  ['protocols', 'decide', 'mask', 'record', 'approve', 'limit', 'config', 'relay', 'accept'],
  ['identify', 'dial', 'replay', 'policy'],
  ['session.ts'],
  ['threads', 'control', 'cli', 'main.ts', 'demo', 'console'],
]

/** Lower may not import higher. */
function rank(path: string): number {
  if (path.startsWith('workers/')) return RANKS.length
  const inside = path.replace(/^src\//, '')
  const exact = RANKS.findIndex((names) => names.includes(inside))
  if (exact >= 0) return exact
  const found = RANKS.findIndex((names) => names.includes(inside.split('/')[0] ?? ''))
  return found >= 0 ? found : RANKS.length
}

/** In formatted code a function ends at the first brace with the indentation it began with. */
function longFunctions(source: Source, linesMax: number): string[] {
  const begin = /^( *)(?:export |static |async |get |set )*(?:function\*? \w+|#?\w+)(?:<[^>]*>)?\(/
  const long: string[] = []
  source.lines.forEach((line, at) => {
    const found = begin.exec(line)
    if (found === null || /^ *(if|for|while|switch|return|describe|test|await)\b/.test(line)) return
    const end = source.lines.indexOf(`${found[1]}}`, at)
    if (end - at + 1 > linesMax && isOneBody(source.lines, at, end)) {
      long.push(`${source.path}:${at + 1} ${end - at + 1} lines`)
    }
  })
  return long
}

/** False when another block of the same depth closes before `end`: then `at` was a call, not a function. */
function isOneBody(lines: readonly string[], at: number, end: number): boolean {
  const depth = /^ */.exec(lines[at] ?? '')?.[0].length ?? 0
  return lines.every((line, index) => {
    const inside = index > at && index < end && line.trim() !== ''
    const shallow = (/^ */.exec(line)?.[0].length ?? 0) <= depth
    return !inside || !shallow || /^ *\)/.test(line)
  })
}

function cycles(among: readonly Source[]): string[] {
  const next = new Map(
    among.map(({ path, imports }) => [
      path,
      imports.flatMap(({ file, isType }) => (file === undefined || isType ? [] : [file])),
    ]),
  )
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const to of next.get(path) ?? []) visit(to, [...trail, path])
    done.add(path)
  }
  for (const { path } of among) visit(path, [])
  return found
}
