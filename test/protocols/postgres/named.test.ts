import { describe, expect, test } from 'vitest'
import { allNamed, withNamed } from '../../../src/protocols/postgres/named.ts'
import { NO_EFFECT, type Statement } from '../../../src/protocols/postgres/sql/analysis.ts'
import { opaqueStatement } from '../../../src/protocols/postgres/sql/opaque-statement.ts'

function statement(more: Partial<Statement>): Statement {
  const base = opaqueStatement('x', { reason: 'r', position: undefined })
  const facts = { ...base.facts, writes: false, bounded: true }
  return { ...base, classes: ['read'], opaque: undefined, facts, effect: NO_EFFECT, ...more }
}

const RUNS = { ...NO_EFFECT, runs: { kind: 'prepared' as const, name: 's' } }
const EXECUTE = statement({ verb: 'EXECUTE', effect: RUNS })
const DELETE = statement({
  verb: 'DELETE',
  classes: ['write'],
  facts: { ...EXECUTE.facts, commands: ['DELETE'], writes: true, bounded: false },
  mask: { touches: true, refusal: { reason: 'no', hint: '' }, rules: ['m'] },
})

test('a statement that names nothing stays as it is', () => {
  expect(withNamed(DELETE, () => undefined)).toBe(DELETE)
})

test('what runs by name has the classes, facts and refusal of what it names', () => {
  const merged = withNamed(EXECUTE, () => DELETE)
  expect(merged).toMatchObject({
    verb: 'EXECUTE',
    classes: ['read', 'write'],
    facts: { commands: ['DELETE'], writes: true, bounded: false },
    mask: { refusal: { reason: 'no' } },
    returnsRows: true,
  })
})

test('tables of both count: CREATE TABLE … AS EXECUTE makes one of its own', () => {
  const makes = {
    ...EXECUTE,
    facts: { ...EXECUTE.facts, tables: ['public.made'], tables_written: ['public.made'] },
  }
  const body = { ...DELETE, facts: { ...DELETE.facts, tables: ['public.t'] } }
  expect(withNamed(makes, () => body)).toMatchObject({
    facts: { tables: ['public.made', 'public.t'], tables_written: ['public.made'] },
  })
})

test('a name that was not seen made, or that runs another name, is opaque', () => {
  for (const found of [undefined, EXECUTE]) {
    expect(withNamed(EXECUTE, () => found)).toMatchObject({ classes: ['opaque'] })
  }
})

test('a name that is not settled waits', () => {
  expect(withNamed(EXECUTE, () => 'wait')).toBe('wait')
})

describe('all statements of a message', () => {
  const moves = statement({ effect: { ...NO_EFFECT, dirties: true } })
  const reads = statement({ verb: 'SELECT' })
  const shows = statement({ verb: 'SHOW', nameless: true })

  test('behind one that runs what may change names are opaque where they use any', () => {
    const all = allNamed([reads, EXECUTE, shows, reads, EXECUTE], () => moves)
    expect(all).toMatchObject([
      { classes: ['read'], opaque: undefined },
      { classes: ['read'], opaque: undefined },
      { classes: ['read'], opaque: undefined },
      { classes: ['read', 'opaque'], opaque: { reason: expect.stringMatching(/what names mean/) } },
      { classes: ['read', 'opaque'], opaque: { reason: expect.stringMatching(/what names mean/) } },
    ])
  })

  test('stay as they are behind one that runs what changes nothing', () => {
    expect(allNamed([EXECUTE, reads, EXECUTE], () => reads)).toMatchObject([
      { opaque: undefined },
      { opaque: undefined },
      { opaque: undefined },
    ])
  })

  test('find what the message itself has prepared before them', () => {
    const prepares = statement({ effect: { ...NO_EFFECT, prepares: { name: 's', body: DELETE } } })
    const find = (kind: string, name: string, local: ReadonlyMap<string, Statement>) =>
      local.get(`${kind} ${name}`)
    expect(allNamed([prepares, EXECUTE], find)).toMatchObject([{}, { classes: ['read', 'write'] }])
  })

  test('wait for a name that is not settled', () => {
    expect(allNamed([reads, EXECUTE], () => 'wait')).toBe('wait')
  })
})
