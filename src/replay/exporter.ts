/**
 * Pure. One session in one format, piece by piece: what was put in is forgotten once it is out.
 */
import { Asciicast } from './export-asciicast.ts'
import { csvHead, csvItem } from './export-csv.ts'
import { Pcapng } from './export-pcapng.ts'
import type { Format } from './forms.ts'
import type { SessionRow } from './read.ts'
import type { RecordedRow } from './recorded.ts'
import { Renderer } from './render.ts'
import type { Item } from './timeline.ts'

type Out = string | Buffer

export interface Exporter {
  head(): Out
  row(row: RecordedRow, items: readonly Item[]): Out
  end(items: readonly Item[]): Out
}

/** Rows of a result that a cast shows. */
const CAST_ROWS_MAX = 100

/** `startedUs`: microseconds since 1970. A format that the session's protocol has (forms.ts); HAR is none of these yet. */
export function exporterOf(
  format: Exclude<Format, 'har'>,
  session: SessionRow,
  startedUs: number,
): Exporter {
  switch (format) {
    case 'json':
      return jsonExporter(session)
    case 'csv':
      return {
        head: csvHead,
        row: (_, items) => items.map(csvItem).join(''),
        end: (items) => items.map(csvItem).join(''),
      }
    case 'asciicast':
      return castExporter(session, startedUs)
    case 'pcapng': {
      const capture = new Pcapng(session.client_ip)
      return {
        head: () => capture.head(startedUs),
        row: (row) => capture.row(row),
        end: () => capture.end(),
      }
    }
    default:
      return ((never: never) => never)(format)
  }
}

/** One document, an item a line. */
function jsonExporter(session: SessionRow): Exporter {
  let isFirst = true
  const put = (items: readonly Item[]) =>
    items
      .map((item) => {
        const line = `${isFirst ? '' : ','}\n${JSON.stringify(item)}`
        isFirst = false
        return line
      })
      .join('')
  return {
    head: () => `{"session":${JSON.stringify(session)},\n"timeline":[`,
    row: (_, items) => put(items),
    end: (items) => `${put(items)}\n]}\n`,
  }
}

function castExporter(session: SessionRow, startedUs: number): Exporter {
  const cast = new Asciicast()
  const renderer = new Renderer({ rowsMax: CAST_ROWS_MAX })
  let last = startedUs
  const put = (items: readonly Item[]) => {
    let out = ''
    for (const item of items) {
      last = item.at
      out += cast.output(renderer.item(item), item.at)
    }
    return out
  }
  return {
    head: () => cast.head(`${session.connection} ${session.session_id}`, startedUs),
    row: (_, items) => put(items),
    end: (items) => put(items) + cast.output(renderer.end(), last) + cast.end(),
  }
}
