/** What a client sends before the answer to what went before it: whose end an answer tells of. */
import { expect, test } from 'vitest'
import { CatalogueStore } from '../../../src/protocols/postgres/catalogues.ts'
import { IDLE, IN_TRANSACTION } from '../../../src/protocols/postgres/frame.ts'
import { NamesKeeper } from '../../../src/protocols/postgres/names-keeper.ts'
import { type Effect, NO_EFFECT } from '../../../src/protocols/postgres/sql/analysis.ts'
import { calm, unhurried } from '../../../src/protocols/postgres/sql/calm-question.ts'
import {
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
} from '../../../src/protocols/postgres/sql/catalogue-query.ts'
import { idleAnswer, readFixture } from '../../contract/fixture.ts'

const fixture = readFixture()
/** What the target answers to a question of the keeper's. */
function answerTo(text: string): string {
  const names = JSON.parse(fixture.names)
  if (text === calm(IDLE_NAMES_TEXT, 'few')) return idleAnswer(names)
  if (text === calm(CATALOGUE_TEXT) || text === unhurried(CATALOGUE_TEXT)) return fixture.catalogue
  if (text.includes("'since'")) return JSON.stringify({ ...JSON.parse(fixture.look), names })
  return fixture.names
}

/** A session whose names are known, over a target that answers at once. */
function known() {
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => 0 })
  const keeper = new NamesKeeper({
    store,
    key: 'k',
    ask: (text, answered) => answered(answerTo(text)),
  })
  const refresh = (status: number) => {
    keeper.refresh(status, () => {})
    expect(keeper.isDirty).toBe(false)
  }
  refresh(IDLE)
  return { keeper, refresh }
}

const effect = (more: Partial<Effect>): Effect => ({ ...NO_EFFECT, ...more })
const BEGIN = effect({ transaction: 'begin' })
const COMMIT = effect({ transaction: 'commit' })
const SET_LOCAL = effect({ dirties: true, dirtiesAtEnd: true })

test('the answer to what went before a transaction leaves its changes to its own end', () => {
  const { keeper, refresh } = known()
  keeper.forwarded(effect({}))
  keeper.forwarded(BEGIN)
  keeper.forwarded(SET_LOCAL)
  keeper.ready(IDLE, false)
  keeper.ready(IN_TRANSACTION, false)
  keeper.ready(IN_TRANSACTION, true)
  refresh(IN_TRANSACTION)
  keeper.forwarded(COMMIT)
  expect(keeper.isDirty).toBe(true)
  keeper.ready(IDLE, true)
  refresh(IDLE)
  keeper.forwarded(COMMIT)
  expect(keeper.isDirty).toBe(false)
})

test('so it does where several transactions are on their way at once', () => {
  const { keeper, refresh } = known()
  for (const one of [BEGIN, SET_LOCAL, COMMIT, BEGIN, SET_LOCAL]) keeper.forwarded(one)
  keeper.ready(IDLE, false)
  keeper.ready(IN_TRANSACTION, true)
  refresh(IN_TRANSACTION)
  keeper.forwarded(COMMIT)
  expect(keeper.isDirty).toBe(true)
})

test('a change of the catalogue is told of at its own end too, and not only at the one before', () => {
  const { keeper } = known()
  keeper.forwarded(BEGIN)
  keeper.forwarded(effect({ dirties: true, changesCatalogue: true }))
  expect(keeper.ready(IDLE, false)).toBe(true)
  expect(keeper.ready(IN_TRANSACTION, true)).toBe(false)
  keeper.forwarded(COMMIT)
  expect(keeper.ready(IDLE, true)).toBe(true)
  expect(keeper.ready(IDLE, true)).toBe(false)
})
