/**
 * Pure. The labelled corpus: by seed, half of it values that hold one secret each, of every known
 * detector equally often, and half of it look-alikes. What is planted is known by its place.
 */
import { KNOWN_DETECTORS } from '../../../src/mask/detect.ts'
import { lookAlike } from './look-alikes.ts'
import { NUMBERS } from './numbers.ts'
import { Random } from './random.ts'
import { TOKENS } from './tokens.ts'

export interface Labelled {
  readonly text: string
  /** Of the column that it stands in. */
  readonly column: string
  /** undefined: a look-alike, nothing is planted. */
  readonly planted: { readonly detector: string; readonly secret: string } | undefined
  /** Kind of look-alike, or how the secret is presented. */
  readonly kind: string
}

/** As people and programs call it; a list of its own, not that of the detectors. */
const CALLED: Readonly<Record<string, readonly string[]>> = {
  credit_card: ['card', 'credit card'],
  iban: ['IBAN', 'bank account'],
  card_track: ['track', 'swipe'],
  us_bank_routing: ['routing number', 'ABA'],
  bitcoin_address: ['wallet', 'BTC address'],
  us_ssn: ['SSN', 'social security number'],
  ca_sin: ['SIN', 'social insurance number'],
  br_cpf: ['CPF', 'CPF do contribuinte'],
  cl_rut: ['RUT'],
  ar_cuil: ['CUIL', 'CUIT'],
  mx_curp: ['CURP'],
  uk_nino: ['NI number', 'National Insurance'],
  ie_pps: ['PPS number', 'PPSN'],
  fr_nir: ['NIR', 'numéro de sécurité sociale'],
  de_tax_id: ['Steuer-ID', 'IdNr', 'Steuer-Identifikationsnummer'],
  nl_bsn: ['BSN', 'burgerservicenummer'],
  be_national_number: ['rijksregisternummer', 'numéro de registre national', 'NISS'],
  ch_ahv: ['AHV-Nummer', 'AVS'],
  at_svnr: ['SVNR', 'Sozialversicherungsnummer'],
  es_dni: ['DNI', 'NIF'],
  it_codice_fiscale: ['codice fiscale', 'CF'],
  pl_pesel: ['PESEL', 'numer PESEL'],
  pt_nif: ['NIF', 'número de contribuinte'],
  ro_cnp: ['CNP'],
  cz_rodne_cislo: ['rodné číslo', 'rodne cislo', 'RČ'],
  tr_tckn: ['TC Kimlik No', 'TCKN'],
  se_personnummer: ['personnummer'],
  fi_hetu: ['henkilötunnus', 'HETU'],
  no_fodselsnummer: ['fødselsnummer', 'fnr'],
  dk_cpr: ['CPR', 'CPR-nummer'],
  in_aadhaar: ['Aadhaar', 'Aadhaar number'],
  in_pan: ['PAN', 'PAN card'],
  cn_resident_id: ['身份证号', 'resident ID'],
  kr_rrn: ['주민등록번호', 'RRN'],
  jp_my_number: ['My Number', 'マイナンバー', '個人番号'],
  sg_nric: ['NRIC', 'FIN'],
  hk_id: ['HKID'],
  au_tfn: ['TFN', 'tax file number'],
  za_id: ['ID number', 'SA ID'],
  passport_mrz: ['passport', 'MRZ'],
  imei: ['IMEI'],
  uk_nhs_number: ['NHS number', 'NHS no'],
  us_mbi: ['MBI', 'Medicare ID'],
  us_npi: ['NPI', 'provider number'],
  us_dea: ['DEA number', 'DEA'],
  au_medicare: ['Medicare', 'Medicare card'],
  de_health_insurance: ['Versichertennummer', 'KVNR'],
  phone: ['phone', 'mobile', 'Tel.'],
  password: ['password', 'api_key', 'client_secret'],
}

const AROUND: readonly ((called: string, secret: string) => string)[] = [
  (called, secret) => `${called}: ${secret}`,
  (called, secret) => `${called} ${secret}`,
  (called, secret) => `The ${called} is ${secret}, please check.`,
  (called, secret) => `Applicant gave ${called} = ${secret} on 3 May.`,
  (called, secret) => `{"${called}":${JSON.stringify(secret)},"state":"open"}`,
  (called, secret) => `note; ${secret} (${called}); done`,
  (called, secret) => `Hello, my ${called} is “${secret}”. Thanks!`,
]
/** A password is nothing without a sign that says so. */
const ASSIGNED: readonly ((called: string, secret: string) => string)[] = [
  (called, secret) => `${called}=${secret}`,
  (called, secret) => `${called}: "${secret}"`,
  (called, secret) => `{"${called}":"${secret}"}`,
  (called, secret) => `ALTER ROLE app ${called.replace(/.*/, 'PASSWORD')} '${secret}'`,
  (called, secret) => `const ${called} = '${secret}'`,
]

export const SEED = 20_261_121
const SHARE_ALONE = 0.25
const SHARE_COLUMN = 0.25

export function corpus(count: number, seed = SEED): readonly Labelled[] {
  const random = new Random(seed)
  const ids = [...KNOWN_DETECTORS.keys()]
  return Array.from({ length: count }, (_, at) =>
    at % 2 === 0 ? planted(ids[(at / 2) % ids.length]!, random) : innocent(random),
  )
}

function innocent(random: Random): Labelled {
  const { kind, text, column } = lookAlike(random)
  return { text, column, planted: undefined, kind }
}

function planted(detector: string, random: Random): Labelled {
  const make = NUMBERS[detector] ?? TOKENS[detector]
  if (make === undefined) throw new Error(`nothing makes values of ${detector}`)
  const secret = make(random)
  const called = random.pick(CALLED[detector] ?? [detector.replaceAll('_', ' ')])
  const mark = { detector, secret }
  const share = random.next()
  if (detector === 'password') {
    return {
      text: random.pick(ASSIGNED)(called, secret),
      column: 'body',
      planted: mark,
      kind: 'text',
    }
  }
  if (share < SHARE_ALONE) return { text: secret, column: 'value', planted: mark, kind: 'alone' }
  if (share < SHARE_ALONE + SHARE_COLUMN) {
    const column = called.replaceAll(/[ .]+/g, '_')
    return { text: secret, column, planted: mark, kind: 'column' }
  }
  return { text: random.pick(AROUND)(called, secret), column: 'body', planted: mark, kind: 'text' }
}
