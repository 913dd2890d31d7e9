/** Not a test: keepers of names over a target that answers at once or when it is told to, with time that the test moves. */
import { CatalogueStore } from '../../../src/protocols/postgres/catalogues.ts'
import { NamesKeeper } from '../../../src/protocols/postgres/names-keeper.ts'
import { type Effect, NO_EFFECT } from '../../../src/protocols/postgres/sql/analysis.ts'
import { calm, unhurried } from '../../../src/protocols/postgres/sql/calm-question.ts'
import {
  CATALOGUE_TEXT,
  IDLE_NAMES_TEXT,
  NAMES_TEXT,
} from '../../../src/protocols/postgres/sql/catalogue-query.ts'
import { idleAnswer, readFixture } from '../../contract/fixture.ts'

export const fixture = readFixture()

/** What a question is, by its text. */
function questionIn(text: string): string {
  if (text === calm(CATALOGUE_TEXT)) return 'catalogue'
  if (text === calm(IDLE_NAMES_TEXT, 'few')) return 'idle'
  if (text === calm(NAMES_TEXT)) return 'names'
  if (text === unhurried(NAMES_TEXT)) return 'names in a transaction'
  if (text === unhurried(CATALOGUE_TEXT)) return 'catalogue in a transaction'
  return text.includes("'since'") ? 'look' : 'chosen'
}

export const TEMPORARY = fixture.names.replace(
  /"temporary"\s*:\s*null/,
  '"temporary" : "pg_temp_3"',
)

export function setUp() {
  const target = {
    asked: [] as string[],
    fails: false,
    /** More of what a look answers. */
    look: {},
    names: fixture.names,
    /** On which server the next sessions are; each stays there. */
    place: {} as { at?: string; start?: string },
    ms: 0,
    /** Answers that wait, when there is a list. */
    held: undefined as (() => void)[] | undefined,
    /** Gives them, and those to what is asked then. */
    giveAll: () => {
      for (let give = target.held?.shift(); give !== undefined; give = target.held?.shift()) give()
    },
  }
  const store = new CatalogueStore({ microseconds: () => 0, elapsed: () => target.ms * 1000 })
  const answer = (question: string, place: typeof target.place): string | undefined => {
    if (target.fails) return undefined
    if (question === 'chosen' || question.startsWith('catalogue')) return fixture.catalogue
    if (question === 'idle') return idleAnswer(JSON.parse(target.names), place)
    if (question !== 'look') return target.names
    const names = JSON.parse(target.names)
    return JSON.stringify({ ...JSON.parse(fixture.look), ...target.look, ...place, names })
  }
  const session = (isOver = () => false, isSlow = () => false) => {
    const proceeded: string[] = []
    const { place } = target
    const keeper = new NamesKeeper({
      store,
      key: 'k',
      ask: (text, answered) => {
        const question = questionIn(text)
        target.asked.push(question)
        const give = () => answered(answer(question, place))
        if (target.held === undefined) give()
        else target.held.push(give)
      },
      isOver,
      isSlow,
      proceed: () => proceeded.push('proceed'),
    })
    return { keeper, proceeded }
  }
  const { keeper } = session()
  const refresh = (status: number) => {
    target.asked = []
    keeper.refresh(status, () => target.asked.push('done'))
    return target.asked
  }
  return { keeper, target, refresh, store, session }
}
export const effect = (more: Partial<Effect>): Effect => ({ ...NO_EFFECT, ...more })
export const SET = effect({ dirties: true })
