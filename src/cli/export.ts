/** IO. `sluice sessions export`: one session as a file, written while it is read. */
import { closeSync, openSync } from 'node:fs'
import { exporterOf } from '../replay/exporter.ts'
import { FORMATS, formOf } from '../replay/forms.ts'
import { CliError } from './exit.ts'
import type { Where } from './gateway.ts'
import { put } from './output.ts'
import { sessionOf, startOf, stepsOf } from './recording.ts'

export interface ExportFlags extends Where {
  readonly format?: string
  readonly out?: string
}

/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 64 << 10

export async function exportSession(id: string, flags: ExportFlags): Promise<void> {
  const format = FORMATS.find((one) => one === flags.format)
  if (format === undefined)
    throw new CliError(2, `--format: expected one of ${FORMATS.join(', ')}.`)
  const session = await sessionOf(id, flags)
  const { formats } = formOf(session.protocol)
  if (format === 'har' || !formats.includes(format))
    throw new CliError(
      2,
      `A session of ${session.protocol} cannot be written as ${format}; it can as ${formats.join(', ')}.`,
    )
  const exporter = exporterOf(format, session, startOf(session))
  const out = new Out(flags.out)
  try {
    if (!out.put(exporter.head())) return
    for await (const { row, items } of stepsOf(session, flags, {})) {
      const piece = row === undefined ? exporter.end(items) : exporter.row(row, items)
      if (!out.put(piece)) return
    }
  } finally {
    out.close()
  }
}

class Out {
  readonly #to: number
  #waiting: (string | Buffer)[] = []
  #size = 0

  constructor(path: string | undefined) {
    this.#to = path === undefined ? 1 : open(path)
  }

  /** False: nobody reads on. */
  put(piece: string | Buffer): boolean {
    if (piece.length === 0) return true
    this.#waiting.push(piece)
    this.#size += piece.length
    return this.#size < WRITE_BYTES || this.#flush()
  }

  close(): void {
    this.#flush()
    if (this.#to !== 1) closeSync(this.#to)
  }

  #flush(): boolean {
    const waiting = this.#waiting
    this.#waiting = []
    this.#size = 0
    return put(Buffer.concat(waiting.map((one) => Buffer.from(one))), this.#to)
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch {
    throw new CliError(2, `${path} cannot be written.`)
  }
}
