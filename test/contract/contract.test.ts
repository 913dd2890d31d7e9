import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { compare, Play } from './player.ts'
import { readTranscripts } from './transcript.ts'

const transcripts = readTranscripts(
  join(import.meta.dirname, 'postgres'),
  join(import.meta.dirname, 'regressions'),
)

beforeAll(() => loadParser())

describe.each(transcripts)('$title', (transcript) => {
  test('goes as written', () => {
    const play = new Play(transcript, {
      check: (now) => {
        expect(now.warnings).toEqual([])
        const { wanted, got } = compare(now, now.at)
        expect(got).toEqual(wanted)
      },
    }).run()
    play.leave()
  })
})
