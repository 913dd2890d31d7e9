/**
 * Pure. Whether what a person reads in an evidence bundle is what its lines of evidence say: the page is made of them again.
 *
 * The lines themselves must be written as we write them. A browser reads them too, and one with a "<" in it could end the
 * script that it stands in, and begin a page of somebody else.
 */
import { Bundle, BundleReader, offeredVerifier } from './bundle.ts'

type Line = Readonly<Record<string, unknown>>

export class BundleCheck {
  readonly #reader = new BundleReader()
  readonly #made = new Bundle('')
  #isAsWritten = true

  /** True: the line is one of evidence, and is given to `line` next. */
  isEvidence(text: string): boolean {
    return this.#reader.isEvidence(text)
  }

  /** Throws where its rows cannot be read. */
  line(text: string, line: Line): void {
    if (!this.#reader.isBundle) return
    if (this.#made.line(line) !== `${text}\n`) this.#isAsWritten = false
  }

  /** Of the page; undefined: it has none, or there is none. */
  get offered(): string | undefined {
    return this.#reader.isBundle ? offeredVerifier(this.#reader.page.behind) : undefined
  }

  /** undefined: the page is made of the evidence beside it, or there is none. */
  fault(): string | undefined {
    if (!this.#reader.isBundle) return undefined
    const { before, behind } = this.#reader.page
    const link = Buffer.from(this.offered ?? '').toString('base64')
    const wanted = this.#made.end().replace('base64,"', () => `base64,${link}"`)
    if (this.#isAsWritten && before === new Bundle('').begin() && behind === wanted)
      return undefined
    return 'the index of the bundle is not made of its evidence: it was changed, or is of another version'
  }
}
