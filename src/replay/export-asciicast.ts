/**
 * Pure. A rendered timeline as asciicast v3: a line of JSON for the head, one for each piece of output, with the seconds
 * since the piece before. https://docs.asciinema.org/manual/asciicast/v3/
 */

const COLUMNS = 140
const ROWS = 40
/** Longest pause that players keep. */
const IDLE_SECONDS = 2

export class Asciicast {
  #lastUs: number | undefined

  /** `startedUs`: microseconds since 1970. */
  head(title: string, startedUs: number): string {
    this.#lastUs = startedUs
    const head = {
      version: 3,
      term: { cols: COLUMNS, rows: ROWS, type: 'xterm-256color' },
      timestamp: Math.floor(startedUs / 1_000_000),
      idle_time_limit: IDLE_SECONDS,
      title,
    }
    return `${JSON.stringify(head)}\n`
  }

  /** '' for no text. The clock may have gone back; a cast does not. */
  output(text: string, atUs: number): string {
    if (text === '') return ''
    return this.#event('o', text.replaceAll('\n', '\r\n'), atUs)
  }

  end(): string {
    return this.#event('x', '0', this.#lastUs ?? 0)
  }

  #event(code: 'o' | 'x', data: string, atUs: number): string {
    const last = this.#lastUs ?? atUs
    const seconds = Math.max(0, atUs - last) / 1_000_000
    this.#lastUs = Math.max(last, atUs)
    return `[${seconds.toFixed(6)}, "${code}", ${JSON.stringify(data)}]\n`
  }
}
