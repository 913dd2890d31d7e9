import { expect, test } from 'vitest'
import {
  enforces,
  type Field,
  type MaskedColumns,
  type PlanOptions,
  planRow,
  type TypeFamily,
} from '../../src/mask/plan.ts'
import { maskedColumns } from '../../src/mask/resolve-masks.ts'
import type { Transform } from '../../src/mask/transform-spec.ts'
import { setOf } from '../lib/detector-examples.ts'

const TEXT = 25
const INT = 23

function masks(monitor = false): MaskedColumns {
  const mask = {
    transform: { type: 'hash' },
    inPredicates: 'deny',
    derived: 'mask',
    monitor,
    rule: 'p/0',
    name: 'public.users.email',
  } as const
  return maskedColumns(new Map([[20001, new Map([[2, mask]])]]), 'key')
}

function field(relation: number, column: number, typeOid = TEXT): Field {
  return { name: 'f', relation, column, typeOid, format: 0 }
}

function plan(one: Field, options: Partial<PlanOptions> = {}) {
  return planRow([one], {
    masked: masks(),
    detectors: undefined,
    touchesMasked: false,
    known: (oid) => oid === 20001 || oid === 20002,
    nature: ({ typeOid }) => ({ family: typeOid === TEXT ? 'text' : 'scalar', lengthMax: 7 }),
    ...options,
  })?.[0]
}

test('a masked column takes its own transform and the nature of its type', () => {
  expect(plan(field(20001, 2))).toEqual({
    by: 'column',
    transform: { type: 'hash' },
    family: 'text',
    format: 0,
    lengthMax: 7,
    monitor: false,
    name: 'public.users.email',
  })
})

test('rows without anything to hide have no plan', () => {
  expect(plan(field(20001, 1))).toBeUndefined()
  expect(plan(field(20002, 2))).toBeUndefined()
  expect(plan(field(0, 0))).toBeUndefined()
  expect(plan(field(20001, 2), { masked: undefined })).toBeUndefined()
})

test('the net below: expressions, whole rows and unknown relations are redacted', () => {
  const redacted = { by: 'column', transform: { type: 'redact' } }
  expect(plan(field(0, 0), { touchesMasked: true })).toMatchObject({
    ...redacted,
    name: 'expression',
  })
  expect(plan(field(20001, 0))).toMatchObject({ ...redacted, name: 'whole row' })
  expect(plan(field(777, 1))).toMatchObject({ ...redacted, name: 'unknown relation' })
  expect(plan(field(20002, 0))).toBeUndefined()
})

test('without any enforced mask the net monitors only', () => {
  expect(enforces(masks())).toBe(true)
  expect(enforces(masks(true))).toBe(false)
  expect(enforces(undefined)).toBe(false)
  expect(plan(field(777, 1))).toMatchObject({ monitor: false })
  expect(plan(field(777, 1), { masked: masks(true) })).toMatchObject({ monitor: true })
})

test('detectors read what can hold text, unless a column mask hides it', () => {
  const detectors = setOf('email')
  expect(plan(field(20001, 1), { detectors })).toEqual({
    by: 'detector',
    names: ['f'],
    family: 'text',
    format: 0,
  })
  expect(plan(field(20001, 2), { detectors })).toMatchObject({ by: 'column' })
  expect(plan(field(20001, 1, INT), { detectors })).toBeUndefined()
})

test('one who may write sees no masked form that could be tried out', () => {
  const shown = (transform: Transform, family: TypeFamily, mayWrite: boolean) => {
    const mask = masks().column(20001, 2)!
    const masked = maskedColumns(new Map([[20001, new Map([[2, { ...mask, transform }]])]]), 'key')
    const nature = () => ({ family, lengthMax: 0 })
    return plan(field(20001, 2), { masked, mayWrite, nature })
  }
  const pseudonym = { type: 'pseudonym', domain: 'd' } as const
  const redact = { type: 'redact' }
  expect(shown({ type: 'hash' }, 'text', false)).toMatchObject({ transform: { type: 'hash' } })
  expect(shown({ type: 'hash' }, 'text', true)).toMatchObject({ transform: redact })
  expect(shown({ type: 'hash' }, 'uuid', true)).toMatchObject({ transform: redact })
  for (const family of ['int2', 'int4', 'int8', 'date'] as const) {
    expect(shown(pseudonym, family, true)).toMatchObject({ transform: redact })
    expect(shown(pseudonym, family, false)).toMatchObject({ transform: pseudonym })
  }
  expect(shown(pseudonym, 'text', true)).toMatchObject({ transform: pseudonym, toWriter: true })
  expect(shown(pseudonym, 'text', false)).not.toHaveProperty('toWriter')
})

test('what is in arrays and rows is asked of the type', () => {
  const detectors = setOf('email')
  const inner = () => ({ family: 'text', lengthMax: 0 }) as const
  const nature = () => ({ family: 'array', lengthMax: 0, inner }) as const
  expect(plan(field(20002, 2), { detectors, nature })).toMatchObject({ family: 'array', inner })
})

const PARTS: Transform = {
  type: 'paths',
  paths: (['redact', 'hash', 'partial', 'pseudonym'] as const).map((type) => ({
    path: [type],
    transform: { type, domain: 'd', keepFirst: 1, keepLast: 0 },
    monitor: false,
    name: type,
  })),
}

function planParts(family: TypeFamily, more: Partial<PlanOptions> = {}, transform = PARTS) {
  const mask = { ...masks().column(20001, 2)!, transform }
  const masked = maskedColumns(new Map([[20001, new Map([[2, mask]])]]), 'key')
  const planned = plan(field(20001, 2), {
    masked,
    nature: () => ({ family, lengthMax: 0 }),
    ...more,
  })
  return planned?.by === 'column' ? planned.transform : planned
}

test('parts are masked in documents alone; what is none is hidden whole', () => {
  for (const family of ['json', 'jsonb', 'json-array', 'jsonb-array'] as const)
    expect(planParts(family)).toEqual(PARTS)
  for (const family of ['text', 'other', 'array', 'record', 'uuid'] as const)
    expect(planParts(family)).toEqual({ type: 'redact' })
  expect(planParts('jsonb', { utf8: false })).toEqual({ type: 'redact' })
})

test('who may write sees no part, and no document, that could be compared with a guess', () => {
  const shown = planParts('jsonb', { mayWrite: true })
  expect(shown).toMatchObject({
    paths: [
      { transform: { type: 'redact' } },
      { transform: { type: 'redact' } },
      { transform: { type: 'partial' } },
      { transform: { type: 'redact' } },
    ],
  })
  const pseudonym: Transform = { type: 'pseudonym', domain: 'd' }
  expect(planParts('jsonb', { mayWrite: true }, pseudonym)).toEqual({ type: 'redact' })
  expect(planParts('jsonb', {}, pseudonym)).toEqual(pseudonym)
  expect(planParts('text', { mayWrite: true }, pseudonym)).toEqual(pseudonym)
})
