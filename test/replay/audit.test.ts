import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AUDIT_TABLES, auditStatement, judge } from '../../src/replay/audit.ts'

/** The tree of `SELECT <expression> FROM <table>`, as the engine prints it. */
function tree(expression: readonly string[], table = 'TableIdentifier events'): string {
  return [
    'SelectWithUnionQuery (children 1)',
    ' ExpressionList (children 1)',
    '  SelectQuery (children 2)',
    '   ExpressionList (children 1)',
    ...expression.map((line) => `    ${line}`),
    '   TablesInSelectQuery (children 1)',
    '    TablesInSelectQueryElement (children 1)',
    '     TableExpression (children 1)',
    `      ${table}`,
    '',
  ].join('\n')
}

const call = (name: string) => [`Function ${name} (children 1)`, ' ExpressionList']
const judged = (ast: string, text = 'SELECT 1') => judge(ast, text, 'sluice')
/** undefined where nothing is in the way, and no name that is not on the list. */
const say = (ast: string, text?: string) => {
  const found = judged(ast, text)
  if (typeof found === 'string') return found
  return found.names.length === 0 ? undefined : found.names.join(', ')
}

describe('the tree', () => {
  test('of an ordinary question passes', () => {
    expect(say(tree(call('count')))).toBeUndefined()
    expect(say(tree(call('sumIf (alias x)')))).toBeUndefined()
    expect(
      say(tree(['Literal UInt64_1'], 'TableIdentifier sluice.events (alias e)')),
    ).toBeUndefined()
    expect(say(tree(['Asterisk'], 'Function numbers (children 1)'))).toBeUndefined()
  })

  test.each([
    ['a function that is not listed', tree(call('file'))],
    ['one behind an alias that looks like another', tree(call('file (alias count)'))],
    ['one whose name holds a listed one', tree(call('count (x)'))],
    ['one with a suffix that aggregates', tree(call('fileIf'))],
    ['a table function that is not listed', tree(['Asterisk'], 'Function file (children 1)')],
    ['a function in the place of a table', tree(['Asterisk'], 'Function count (children 1)')],
    ['another database', tree(['Asterisk'], 'TableIdentifier system.tables')],
    ['a hidden table', tree(['Asterisk'], 'TableIdentifier sealed')],
    ['a hidden table, qualified', tree(['Asterisk'], 'TableIdentifier sluice.sealed')],
    ['an unknown table of ours', tree(['Asterisk'], 'TableIdentifier sluice.other')],
    ['a table with a strange name', tree(['Asterisk'], 'TableIdentifier a b')],
    ['a table of three parts', tree(['Asterisk'], 'TableIdentifier a.sluice.events')],
    ['a node that is not listed', tree(['ColumnsApplyTransformer'])],
    ['a node that does not exist', tree(['Whatever'])],
    ['settings', tree(['Set'])],
    ['a parameter', tree(['QueryParameter x'])],
    ['two trees', `${tree(call('count'))}SelectWithUnionQuery (children 1)`],
    ['a level that is left out', tree(['   Literal UInt64_1'])],
    ['an empty line', tree([''])],
    ['nothing', ''],
    ['something else than SELECT', 'DropQuery  x'],
    ['an output file', "SelectWithUnionQuery (children 2)\n ExpressionList\n Literal 'x'"],
    ['a format', 'SelectWithUnionQuery (children 2)\n ExpressionList\n Identifier CSV'],
  ])('with %s is refused', (_, ast) => {
    expect(say(ast)).toBeTypeOf('string')
  })

  test('that measures how far texts are apart is refused: the engine forgets its limit of time over two long ones', () => {
    for (const name of [
      'editDistance',
      'levenshteinDistanceUTF8',
      'jaroSimilarity',
      'arraySimilarity',
    ])
      expect(say(tree(call(name)))).toContain(name)
    expect(say(tree(call('length')))).toBeUndefined()
  })

  test('with a name on the right of IN is judged as that of a table', () => {
    const right = (name: string) => [
      'Function globalNotIn (children 1)',
      ' ExpressionList (children 2)',
      '  Identifier a',
      `  Identifier ${name}`,
    ]
    expect(say(tree(right('system.one')))).toContain('system.one')
    expect(say(tree(right('sealed')))).toContain('sealed')
    expect(say(tree(right('events')))).toBeUndefined()
  })
})

describe('the text', () => {
  const fine = tree(call('count'))

  test.each([
    "SELECT 'file(1)', count() FROM events",
    "SELECT 'it''s file(', \"a\", `b` FROM events WHERE (x) IN (1) AND (y)",
    'WITH s AS (SELECT 1) SELECT a -> (b) FROM (SELECT 1) AS t INNER JOIN (SELECT 2) AS u USING (a)',
    'SELECT sum(a) OVER (PARTITION BY b) FROM events GROUP BY GROUPING SETS ((a), (b))',
  ])('%s passes', (text) => {
    expect(say(fine, text)).toBeUndefined()
  })

  test.each([
    "SELECT file('x')",
    "SELECT `file`('x')",
    'SELECT "file" (1)',
    'SELECT COLUMNS(a) APPLY quantiles(file(1))',
    'SELECT * APPLY file',
    'SELECT 1 SETTINGS a = 1',
    "SELECT '\\'' , file(1)",
    'SELECT `from`(1)',
  ])('%s is refused even where the tree hides it', (text) => {
    expect(say(fine, text)).toBeTypeOf('string')
  })
})

describe('names that are on no list', () => {
  const list = (ast: string) => {
    const found = judged(ast)
    return typeof found === 'string' ? found : found.names
  }

  test('are handed out, each once, wherever a table may stand', () => {
    const names = ['sealed', 'holds', 'made_by_a_later_version', 'a_cte']
    for (const name of names)
      expect(list(tree(['Asterisk'], `TableIdentifier ${name} (alias e)`))).toEqual([name])
    const twice = tree(
      [
        'Function in (children 1)',
        ' ExpressionList (children 2)',
        '  Identifier a',
        '  Identifier x',
      ],
      'TableIdentifier x',
    )
    expect(list(twice)).toEqual(['x'])
  })

  test('are handed out where they get another name, behind which a table could stand', () => {
    expect(list(tree(['Identifier holds (alias y)']))).toEqual(['holds'])
    expect(list(tree(['Identifier .inner_id.1-2 (alias y)']))).toEqual(['.inner_id.1-2'])
    expect(list(tree(['Identifier events (alias y)', 'Identifier kind']))).toEqual([])
    expect(list(tree(['Identifier sluice.events.kind (alias k)']))).not.toBeTypeOf('string')
    for (const name of ['sluice.holds', 'system.one', 'INFORMATION_SCHEMA.tables', "a'b"])
      expect(list(tree([`Identifier ${name} (alias y)`]))).toBeTypeOf('string')
  })

  test('stop the text where one of them is a table, and only there', () => {
    const found = { formatted: 'SELECT 1', names: ['a', 'holds'] }
    expect(auditStatement(found, new Set(['holds']), 5)).toEqual({
      say: expect.stringContaining('no table holds'),
    })
    expect(auditStatement(found, new Set(), 5)).toHaveProperty('sql')
  })

  test('the list holds neither originals nor book-keeping', () => {
    for (const name of ['sealed', 'sealed_keys', 'holds', 'instances', 'migrations'])
      expect(AUDIT_TABLES.has(name)).toBe(false)
  })
})

test('noise is never let through and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (ast, text) => {
      expect(judge(ast, text, 'sluice')).toBeTypeOf('string')
    }),
  )
})

test('what runs is a sub-query with a limit of ours', () => {
  const found = { formatted: 'SELECT 1 LIMIT 5', names: [] }
  expect(auditStatement(found, new Set(), 11)).toEqual({
    sql: 'SELECT * FROM (SELECT 1 LIMIT 5\n) LIMIT 11',
  })
})
