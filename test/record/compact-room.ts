/** Segments of the tests of what goes to the embedded engine, made as a spool makes them. */
import { RowBuffer, sessionSpan, shapeSpans } from '../../src/record/encode.ts'
import { EngineInserts } from '../../src/record/engine-inserts.ts'
import type { EngineInsert } from '../../src/record/engine-rows.ts'
import type { ActionShape, SessionFacts } from '../../src/record/event.ts'
import {
  BLOCK_HEAD,
  readSegment,
  type SegmentContent,
  sealBlock,
  segmentHeader,
} from '../../src/record/segment.ts'
import { facts, OUTCOME, SHAPE, TIMES } from './running.ts'

export interface Rows {
  readonly sessions: readonly Partial<SessionFacts>[]
  readonly shapes: readonly Partial<ActionShape>[]
  /** Actions of each session, with their outcome. */
  readonly actions: number
  readonly params?: readonly string[]
  readonly payload?: Buffer
  /** When the first action was. */
  readonly first?: number
}

/** Sessions take turns, a block for each turn, as in a spool. */
export function segment({
  sessions,
  shapes,
  actions,
  params,
  payload,
  first,
}: Rows): SegmentContent {
  const opened = sessions.map((more) => sessionSpan(facts('I', more)))
  const spans = shapes.map((more) => shapeSpans({ ...SHAPE, ...more }, 'hash'))
  const blocks: Buffer[] = [segmentHeader(1, 'I')]
  const times = { ...TIMES, ...(params === undefined ? {} : { params }) }
  const outcome = { ...OUTCOME, payload, masked: new Map([['email', 3]]), gatewayUs: 70_000 }
  let next = 0
  for (let i = 0; i < actions; i++) {
    const rows = new RowBuffer(BLOCK_HEAD, 4096)
    for (const session of opened) {
      const { action, outcome: ended } = spans[next++ % spans.length]!
      const head = {
        at: (first ?? 1_790_000_000_000_000) + i,
        seq: i * 2 + 1,
        action: i * 2 + 1,
        job: i,
      }
      rows.action([session, action], head, times)
      rows.outcome([session, ended], { ...head, seq: i * 2 + 2 }, outcome)
    }
    const block = rows.bytes.subarray(0, rows.size)
    sealBlock(block, rows.rows)
    blocks.push(Buffer.from(block))
  }
  const content = readSegment(Buffer.concat(blocks))
  if (content === 'foreign') throw new Error('no segment')
  return content
}

/** As it goes to the engine, where more than two rows are worth it. */
export function compacted(content: SegmentContent): EngineInsert | undefined {
  return new EngineInserts(2).take('I', content)
}
