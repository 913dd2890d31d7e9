import { expect, test } from 'vitest'
import { exporterOf } from '../../src/replay/exporter.ts'
import { formOf } from '../../src/replay/forms.ts'
import type { SessionRow } from '../../src/replay/read.ts'
import { Timeline } from '../../src/replay/timeline.ts'
import { answered, asked, columns, tag, values } from './rows.ts'

const SESSION = { session_id: '01S', connection: 'orders', client_ip: '10.0.0.1' } as SessionRow
const STARTED = 1_700_000_001_000_000

function exported(format: 'json' | 'csv' | 'asciicast' | 'pcapng', isEmpty = false): Buffer {
  const exporter = exporterOf(format, SESSION, STARTED)
  const timeline = new Timeline(formOf('postgres').reader())
  const bytes = Buffer.concat([columns([{ name: 'a' }]), values(['1']), tag('SELECT 1')])
  const rows = isEmpty ? [] : [asked(1, 'SELECT 1 AS a'), answered(2, 1, bytes)]
  return Buffer.concat(
    [
      exporter.head(),
      ...rows.map((row) => exporter.row(row, timeline.push(row))),
      exporter.end(timeline.end('closed')),
    ].map((piece) => Buffer.from(piece)),
  )
}

test('each format holds the session and its end', () => {
  const json = JSON.parse(exported('json').toString())
  expect(json.session.session_id).toBe('01S')
  expect(json.timeline.map(({ type }: { type: string }) => type)).toEqual([
    ...['action', 'columns', 'row', 'complete', 'outcome', 'end'],
  ])
  expect(exported('csv').toString().split('\r\n')).toHaveLength(8)
  const cast = exported('asciicast').toString().trim().split('\n')
  expect(cast.map((line) => JSON.parse(line)).at(-1)).toEqual([0, 'x', '0'])
  expect(cast.join('')).toContain('SELECT 1 AS a')
  expect(exported('pcapng').readUInt32LE(0)).toBe(0x0a0d0d0a)
})

test('a session without events is written whole too', () => {
  expect(JSON.parse(exported('json', true).toString()).timeline).toEqual([])
  expect(exported('csv', true).toString().split('\r\n')).toHaveLength(2)
  expect(exported('asciicast', true).toString().trim().split('\n')).toHaveLength(2)
})
