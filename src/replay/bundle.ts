/**
 * Pure. An evidence bundle: one file that a person opens in a browser and a verifier reads line by line.
 *
 *   <!doctype html> … what this is
 *   <script type="application/x-ndjson" id="evidence">
 *   one JSON object a line, as in a file of evidence, without a "<"                   what is proven
 *   </script>
 *   the index, made of those lines and of nothing else; the verifier to be saved      what is read
 *
 * The script is data that no browser runs. The index can be made again from the lines, and `sluice audit verify --bundle` does
 * so and compares: what somebody changed for readers only is found as well.
 */
import { type BundleIndex, newIndex, takeRows } from './bundle-index.ts'
import { escaped, indexPage } from './bundle-page.ts'
import { type RowValues, rowValues } from './row-values.ts'
import { readLeaf } from './verifier.mjs'

export const EVIDENCE_BEGINS = '<script type="application/x-ndjson" id="evidence">'
export const EVIDENCE_ENDS = '</script>'

type Line = Readonly<Record<string, unknown>>

export class Bundle {
  readonly #verifier: string
  readonly #index: BundleIndex = newIndex()
  #session = ''
  #columns: [string, string][] = []

  /** `verifier`: the text of verifier.mjs. */
  constructor(verifier: string) {
    this.#verifier = verifier
  }

  begin(): string {
    return [
      '<!doctype html>',
      '<html lang="en"><head><meta charset="utf-8">',
      // Nothing of it may run or be fetched, whatever data has come to stand here.
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
      '<title>Sluice: evidence of a session</title></head><body>',
      '<p>Evidence of a session, recorded by Sluice. The index stands behind the evidence.</p>',
      EVIDENCE_BEGINS,
      '',
    ].join('\n')
  }

  /** The line as it stands in the file. Throws where its rows cannot be read. */
  line(line: Line): string {
    this.#take(line)
    // Nothing that ends a script, or a line for somebody.
    const text = JSON.stringify(line).replace(
      /[<\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    return `${text}\n`
  }

  /** After the last line. */
  end(): string {
    const page = indexPage(this.#index, Buffer.from(this.#verifier).toString('base64'))
    return `${EVIDENCE_ENDS}\n${page}</body></html>\n`
  }

  /** A line is taken for what the verifier takes it for, and for nothing else beside that. */
  #take(line: Line): void {
    const index = this.#index
    if (line.sluice === 'evidence') {
      this.#columns = columnsOf(line.columns)
      index.scope = JSON.stringify(line.scope ?? null)
      index.made = Number(line.made)
      this.#session = sessionOf(line.scope)
      index.session = escaped(this.#session)
    } else if (line.keys !== undefined) index.keys += listOf(line.keys).length
    else if (line.known !== undefined) {
      for (const one of listOf(line.known)) index.known.push(JSON.stringify(one))
    } else if (line.chain !== undefined) return
    else if (line.leaves !== undefined) {
      index.leaves += listOf(line.leaves).length
      takeRows(index, this.#spokenFor(line))
    } else if (line.heads !== undefined) index.heads += listOf(line.heads).length
  }

  /** Rows of this session that a leaf beside them speaks for, and calls of the control API: no other row is proven to belong here. */
  #spokenFor(line: Line): RowValues[] {
    if (typeof line.rows !== 'string') return []
    const leaves = listOf(line.leaves).flatMap((one) => readLeaf(Object(one).text) ?? [])
    return rowValues(Buffer.from(line.rows, 'base64'), this.#columns).filter((row) => {
      const isOurs = row.session_id === this.#session
      const isCall = row.protocol === 'control' && row.kind !== 'action' && row.kind !== 'outcome'
      const [seq, session] = [Number(row.seq), row.session_id]
      const isLeaf = leaves.some(
        (leaf) => leaf.session === session && leaf.first <= seq && seq <= leaf.last,
      )
      return isLeaf && (isOurs || isCall)
    })
  }
}

/** Tells lines of evidence from the page around them; a file of evidence alone has no page. */
export class BundleReader {
  /** The page before and behind the evidence. */
  readonly page = { before: '', behind: '' }
  #state: 'begin' | 'before' | 'evidence' | 'behind' = 'begin'

  get isBundle(): boolean {
    return this.#state !== 'begin' && this.page.before !== ''
  }

  /** True: the line is one of evidence. */
  isEvidence(line: string): boolean {
    if (this.#state === 'begin') this.#state = line.startsWith('<') ? 'before' : 'evidence'
    if (this.#state === 'before') {
      this.page.before += `${line}\n`
      if (line === EVIDENCE_BEGINS) this.#state = 'evidence'
      return false
    }
    if (this.#state === 'evidence' && line !== EVIDENCE_ENDS) return true
    this.#state = 'behind'
    this.page.behind += `${line}\n`
    return false
  }
}

/** The verifier that a bundle's page offers; '' where there is none. */
export function offeredVerifier(behind: string): string {
  const found = /href="data:text\/javascript;base64,([A-Za-z0-9+/=]*)"/.exec(behind)?.[1] ?? ''
  return Buffer.from(found, 'base64').toString('utf8')
}

function columnsOf(given: unknown): [string, string][] {
  if (!Array.isArray(given)) return []
  return given.map((one) => [String(one?.[0]), String(one?.[1])])
}

function sessionOf(scope: unknown): string {
  const session = (scope as { session?: unknown } | undefined)?.session
  return typeof session === 'string' ? session : ''
}

function listOf(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : []
}
