/** IO (files). Short talks with the real relay in memory, for tests of its parts. */
import type { CopyForm } from '../../../src/protocols/postgres/sql/analysis.ts'
import { shown } from '../../contract/frames.ts'
import { type Recorded, recordedLine } from '../../contract/memory.ts'
import { Play } from '../../contract/player.ts'
import { readTranscript } from '../../contract/transcript.ts'

export const COPY_OUT: CopyForm = {
  direction: 'out',
  format: 'text',
  delimiter: '\t',
  quote: '"',
  escape: '"',
  nullText: '\\N',
  header: false,
  utf8: true,
  table: true,
  columns: undefined,
}

export const MASKED = `policy:
  masks:
    - { columns: [public.customers.email], with: redact }`

/** Plays lines of a transcript; nothing is compared. */
export function talk(...lines: readonly string[]): Play {
  return new Play(readTranscript('talk', ['# Talk', ...lines].join('\n'))).run()
}

export function down(play: Play): string[] {
  return play.framesDown().map(shown)
}

export function up(play: Play): string[] {
  return play.framesUp().map(shown)
}

export function recorded(play: Play): string[] {
  return play.events.map(recordedLine)
}

export function outcomes(play: Play): Extract<Recorded, { event: 'outcome' }>['outcome'][] {
  return play.events.flatMap((one) => (one.event === 'outcome' ? [one.outcome] : []))
}
