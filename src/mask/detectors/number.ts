/**
 * Pure. Detectors of numbers that people, accounts and cards are known by: a form, and a check over
 * its letters and digits alone.
 *
 * A check that one number in ten or eleven passes by chance proves little, so that forms without
 * any other mark score below what a hit needs and count only beside a word that says what they are.
 */
import { ascii, type Detector, type Form, isApart, type Needs, NONE } from './detector.ts'

/** What numbers are called that things have and not people. */
export const ID_WORDS = (
  'order, orders, invoice, ref, reference, sku, ticket, case, part, item, batch, ' +
  'serial, version, build, commit, id, po, rma, tracking, lot, isbn, doi, model, ' +
  'asset, no, nr'
).split(', ')

/** What numbers of people and accounts are called; each speaks against those of another kind. */
export const NUMBER_NAMES = (
  'ssn, sin, cpf, rut, cuil, cuit, curp, nino, pps, nir, steuer-id, bsn, niss, ahv, avs, svnr, dni, ' +
  'nie, nif, codice fiscale, pesel, cnp, rodné číslo, tckn, kimlik, personnummer, hetu, ' +
  'fødselsnummer, fnr, cpr, aadhaar, rrn, my number, nric, hkid, tfn, imei, nhs, mbi, npi, dea, ' +
  'medicare, kvnr, versichertennummer, iban, routing, mrz, 個人番号, マイナンバー'
).split(', ')

interface NumberSpec {
  readonly id: string
  readonly group: Detector['group']
  readonly finds: string
  readonly checked: string
  readonly forms: readonly Form[]
  readonly needs: Needs
  /** Left out: the sources of all forms. */
  readonly probe?: string
  readonly words: readonly string[]
  readonly version?: number
  /** The candidate's letters, in upper case, and digits, without what separates them. */
  isValid(text: string): boolean
}

/** Sources of forms must assume nothing on what stands around them: that is checked here. */
export function numberDetector(spec: NumberSpec): Detector {
  const { isValid, version = 1, probe, ...rest } = spec
  const others = NUMBER_NAMES.filter((name) => !spec.words.includes(name))
  return {
    ...rest,
    doubts: [...ID_WORDS, ...others].filter((word) => !spec.words.includes(word)),
    version,
    isWhole: true,
    probe: probe ?? spec.forms.map((form) => form.source).join('|'),
    confirm(bytes, start, end) {
      if (!isApart(bytes, start, end)) return NONE
      return isValid(plain(ascii(bytes, start, end))) ? [{ start, end }] : NONE
    },
  }
}

function plain(text: string): string {
  return text.replace(/[^0-9A-Za-z]/g, '').toUpperCase()
}
