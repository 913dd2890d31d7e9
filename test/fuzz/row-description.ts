/**
 * Pure apart from what a play reads. Fuzz of row descriptions: against pg-protocol's reader, and through a whole session
 * whose target describes the columns of a table in any order, under any name, type and format. Whatever it says them to
 * be, no value of a masked column reaches the client or the record.
 */
import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import { parse } from 'pg-protocol'
import { expect } from 'vitest'
import { readRowDescription } from '../../src/protocols/postgres/read.ts'
import { framed } from '../contract/frames.ts'
import { recordedBytes } from '../contract/memory.ts'
import { Play } from '../contract/player.ts'
import { columns } from '../contract/stage.ts'
import { readTranscript, type Transcript } from '../contract/transcript.ts'
import { dataRow } from '../lib/mask-frames.ts'
import { type FuzzProperty, property } from './driver.ts'
import { cuts, edit, editedFrames, hostileBytes, hostileText, NUMBERS, pieces } from './mutate.ts'

interface Described {
  readonly name: Buffer
  readonly relation: number
  readonly column: number
  readonly type: number
  readonly size: number
  readonly modifier: number
  readonly format: number
}

const number = fc.oneof(fc.constantFrom(...NUMBERS), fc.nat(0xffffffff))
const field: fc.Arbitrary<Described> = fc.record({
  name: hostileText,
  relation: number,
  column: number,
  type: number,
  size: number,
  modifier: number,
  format: fc.constantFrom(0, 1, 2, 0xffff),
})

function described(fields: readonly Described[], count = fields.length): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(count & 0xffff, 0)
  const parts = fields.map((one) => {
    const rest = Buffer.alloc(19)
    rest.writeUInt32BE(one.relation, 1)
    rest.writeUInt16BE(one.column & 0xffff, 5)
    rest.writeUInt32BE(one.type, 7)
    rest.writeUInt16BE(one.size & 0xffff, 11)
    rest.writeUInt32BE(one.modifier, 13)
    rest.writeUInt16BE(one.format, 17)
    return Buffer.concat([one.name, rest])
  })
  return framed('T', Buffer.concat([head, ...parts]))
}

const frame = fc
  .tuple(fc.array(field, { maxLength: 12 }), fc.array(edit, { maxLength: 2 }))
  .map(([fields, edits]) => Buffer.concat(edits.reduce(editedFrames, [described(fields)])))

interface TheirField {
  readonly name: string
  readonly tableID: number
  readonly columnID: number
  readonly dataTypeID: number
  readonly dataTypeModifier: number
}

function theirs(bytes: Buffer): readonly TheirField[] | undefined {
  let fields: readonly TheirField[] | undefined
  const socket = new EventEmitter()
  try {
    void parse(socket as never, (message) => {
      fields ??= (message as unknown as { fields: TheirField[] }).fields
    })
    socket.emit('data', Buffer.from(bytes))
  } catch {
    // It throws for what it does not understand.
  }
  return fields
}

const ROUTES = [
  ['SELECT id, name, email, ssn, notes FROM customers', 'simple'],
  ['SELECT * FROM customers', 'simple'],
  ['TABLE customers', 'extended'],
  ['SELECT c.*, o.* FROM customers c JOIN orders o ON o.customer_id = c.id', 'extended'],
  ['UPDATE customers SET notes = NULL WHERE id = 1 RETURNING *', 'extended'],
] as const
const MASKS = [
  'redact',
  'null',
  'hash',
  '{ partial: { keep_last: 4 } }',
  '{ fixed: gone }',
] as const

const HIDDEN = ['email', 'ssn'] as const
const NAMES = ['id', 'name', 'email', 'ssn', 'notes'] as const
const [TEXT, BYTEA, UUID, JSONB] = [25, 17, 2950, 3802]
const TYPES = [TEXT, BYTEA, UUID, JSONB, 16, 20, 23, 114, 1007, 1009, 1043, 199, 3807, 0, 16_400]

const column = fc.record({
  of: fc.constantFrom(...NAMES),
  name: fc.oneof(fc.constantFrom(...NAMES.map((name) => Buffer.from(name))), hostileText),
  type: fc.constantFrom(...TYPES),
  modifier: fc.constantFrom(0xffffffff, 4, 8, 0),
  format: fc.constantFrom(0, 0, 1),
})
/** Around the secret, so that no mask can count on its place. */
const dress = fc.tuple(hostileBytes, hostileBytes)
const session = fc.record({
  route: fc.constantFrom(...ROUTES),
  mask: fc.constantFrom(...MASKS),
  detectors: fc.boolean(),
  columns: fc.array(column, { minLength: 1, maxLength: 7 }),
  rows: fc.array(fc.array(fc.option(dress, { freq: 6 }), { minLength: 7, maxLength: 7 }), {
    minLength: 1,
    maxLength: 4,
  }),
  sizes: cuts,
})

const SECRET = 'S3CRET-of-a-masked-column'

const transcripts = new Map<string, Transcript>()

function transcriptOf(route: (typeof ROUTES)[number], mask: string, detectors: boolean) {
  const key = `${route[0]} ${mask} ${detectors}`
  const found = transcripts.get(key)
  if (found !== undefined) return found
  const [text, way] = route
  const hidden = HIDDEN.map((name) => `public.customers.${name}`).join(', ')
  const also = detectors ? '    - { detect: [email, credit_card], with: redact }\n' : ''
  const ask =
    way === 'simple'
      ? `C> Query "${text}"`
      : `C> Parse "" "${text}" | Bind "" "" | Describe P "" | Execute "" | Sync`
  const answer = way === 'simple' ? '' : 'ParseComplete | BindComplete | '
  const made = readTranscript(
    'row-description',
    `# Any row description.\npolicy:\n  masks:\n    - { columns: [${hidden}], with: ${mask} }\n${also}${ask}\nU> ${answer}Raw T "here" | CommandComplete "SELECT 1" | Ready I\n`,
  )
  transcripts.set(key, made)
  return made
}

const HERE = framed('T', Buffer.from('here'))

export const ROW_DESCRIPTION: readonly FuzzProperty[] = [
  property('row description: is read as pg-protocol reads it', frame, {
    runs: 500,
    holds: (bytes) => {
      const ours = readRowDescription(bytes, 0, bytes.length)
      if (ours === undefined || bytes[0] !== 0x54 || bytes.readInt32BE(1) !== bytes.length - 1)
        return
      const other = theirs(bytes)
      expect(
        ours.map((one) => [one.name, one.relation, one.column, one.typeOid, one.typeModifier]),
      ).toEqual(
        other?.map((one) => [
          one.name,
          one.tableID >>> 0,
          one.columnID,
          one.dataTypeID >>> 0,
          one.dataTypeModifier,
        ]),
      )
    },
  }),
  property('row description: one that is whole is read, and no part of it', fc.array(field), {
    runs: 100,
    holds: (fields) => {
      const bytes = described(fields)
      expect(readRowDescription(bytes, 0, bytes.length)?.length).toBe(fields.length)
      for (let end = 5; end < bytes.length; end++)
        if (readRowDescription(bytes, 0, end) !== undefined) throw new Error(`read at ${end}`)
    },
  }),
  property('row description: no masked value is seen, however it is described', session, {
    runs: 60,
    holds: (one) => {
      const fields = one.columns.map((each): Described => {
        const place = columns.find(`customers.${each.of}`)
        const { name, type, modifier, format } = each
        return { name, ...place, type, size: 0xffff, modifier, format }
      })
      const rows = one.rows.map((row) =>
        dataRow(
          one.columns.map((each, at) => {
            const around = row[at] ?? null
            if (around === null) return null
            const isHidden = (HIDDEN as readonly string[]).includes(each.of)
            const inside = Buffer.from(isHidden ? SECRET : 'shown')
            return Buffer.concat([around[0], inside, around[1]])
          }),
        ),
      )
      const answer = Buffer.concat([described(fields), ...rows])
      const play = new Play(transcriptOf(one.route, one.mask, one.detectors), {
        change: (bytes) => {
          const at = bytes.indexOf(HERE)
          if (at < 0) return bytes
          return Buffer.concat([bytes.subarray(0, at), answer, bytes.subarray(at + HERE.length)])
        },
        cut: (bytes) => pieces(bytes, one.sizes),
      }).run()
      play.leave()
      expect(play.warnings).toEqual([])
      const seen = play.bytes('client').toString('latin1') + recordedBytes(play.events)
      // Four characters at the end are what `partial` may show, and what is around them is not the secret.
      for (const piece of ['S3CRET', 'masked-col'])
        expect([piece, seen.includes(piece)]).toEqual([piece, false])
      // It was not the session's end that hid them.
      expect(seen).toContain('SELECT 1')
    },
  }),
]
