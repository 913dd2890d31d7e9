/**
 * Pure. Numbers as their issuers make them, written from the issuers' descriptions and not from the
 * detectors: a body at random, and the check that the description asks for. Where that is a
 * condition, candidates are drawn until one meets it.
 */
import { createHash } from 'node:crypto'
import { digitsOf, dot, drawn, type Make, sum, withLuhn } from './checks.ts'
import { ASIA } from './numbers-asia.ts'
import { BASE62, DIGITS, UPPER } from './random.ts'

export const NUMBERS: Readonly<Record<string, Make>> = {
  credit_card(random) {
    const kind = random.between(0, 4)
    const head = ['4', '5', '37', '6011', '35'][kind]! + (kind === 1 ? random.pick('12345') : '')
    const length = kind === 2 ? 15 : 16
    const fixed = kind === 4 ? `35${random.pick('345678')}` : head
    const number = withLuhn(fixed + random.of(DIGITS, length - 1 - fixed.length))
    if (length === 15 || random.next() < 0.5) return number
    return number.replace(/(.{4})(?=.)/g, `$1${random.pick(' -')}`)
  },
  iban(random) {
    const [country, body] = random.pick([
      ['DE', random.like('##################')],
      ['FR', random.like('#######################')],
      ['GB', random.like('@@@@##############')],
      ['NL', random.like('@@@@##########')],
      ['ES', random.like('####################')],
      ['CH', random.like('#################')],
    ] as const)
    const spelled = (text: string) =>
      [...text].map((one) => (/[0-9]/.test(one) ? one : String(UPPER.indexOf(one) + 10))).join('')
    const check = 98n - (BigInt(spelled(`${body}${country}00`)) % 97n)
    const number = `${country}${String(check).padStart(2, '0')}${body}`
    return random.next() < 0.5 ? number : number.replace(/(.{4})(?=.)/g, '$1 ')
  },
  card_track(random) {
    const number = withLuhn(`4${random.of(DIGITS, 14)}`)
    const rest = random.like('##01#########')
    if (random.next() < 0.5) return `;${number}=${rest}?`
    return `B${number}^${random.like('@@@@@@/@@@@')}^${rest}?`
  },
  us_bank_routing: (random) =>
    drawn(
      random,
      `${random.pick(['0', '1'])}1#######`,
      ([a, b, c, d, e, f, g, h, i]) =>
        (3 * (a! + d! + g!) + 7 * (b! + e! + h!) + c! + f! + i!) % 10 === 0,
    ),
  bitcoin_address(random) {
    const payload = Buffer.from([0, ...Array.from({ length: 20 }, () => random.between(0, 255))])
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
    const raw = Buffer.concat([payload, hash(hash(payload)).subarray(0, 4)])
    const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
    let number = BigInt(`0x${raw.toString('hex')}`)
    let text = ''
    for (; number > 0n; number /= 58n) text = alphabet[Number(number % 58n)] + text
    return `1${text}`
  },
  us_ssn(random) {
    const area = random.pick([random.between(1, 665), random.between(667, 899)])
    const parts = [
      String(area).padStart(3, '0'),
      String(random.between(1, 99)).padStart(2, '0'),
      String(random.between(1, 9999)).padStart(4, '0'),
    ]
    return parts.join(random.pick(['-', '-', ' ', '']))
  },
  ca_sin(random) {
    const number = withLuhn(random.pick('1245679') + random.of(DIGITS, 7))
    return random.next() < 0.6 ? number.replace(/(...)(?=.)/g, '$1 ') : number
  },
  br_cpf(random) {
    const body = random.like('#########')
    const check = (text: string) => {
      const rest = sum(digitsOf(text).map((digit, at) => digit * (text.length + 1 - at))) % 11
      return text + (rest < 2 ? 0 : 11 - rest)
    }
    const number = check(check(body))
    return random.next() < 0.6 ? number.replace(/(...)(...)(...)(..)/, '$1.$2.$3-$4') : number
  },
  cl_rut(random) {
    const body = String(random.between(5_000_000, 25_000_000))
    const total = sum(
      digitsOf(body)
        .reverse()
        .map((digit, at) => digit * (2 + (at % 6))),
    )
    const check = 11 - (total % 11)
    const last = check === 11 ? '0' : check === 10 ? 'K' : String(check)
    return `${body.replace(/(?=(...)+$)(?!^)/g, '.')}-${last}`
  },
  ar_cuil(random) {
    for (;;) {
      const body = random.pick(['20', '23', '27']) + random.like('########')
      const rest = dot(digitsOf(body), [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
      if (rest === 1) continue
      const number = `${body}${rest === 0 ? 0 : 11 - rest}`
      return random.next() < 0.6 ? number.replace(/^(..)(.{8})/, '$1-$2-') : number
    }
  },
  mx_curp(random) {
    const { yy, mm, dd } = random.date()
    const vowels = 'AEIOU'
    const consonants = 'BCDFGHJKLMNPQRSTVWXYZ'
    const body =
      `${random.pick(UPPER)}${random.pick(vowels)}${random.like('@@')}${yy}${mm}${dd}` +
      `${random.pick('HM')}${random.pick(['DF', 'JC', 'NL', 'MC'])}${random.of(consonants, 3)}${random.pick('0A')}`
    const order = '0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ'
    const total = [...body].reduce((all, one, at) => all + order.indexOf(one) * (18 - at), 0)
    return `${body}${(10 - (total % 10)) % 10}`
  },
  uk_nino(random) {
    const body = `${random.pick('ABCEHJLMPRSWXY')}${random.pick('ABCEHJKLMPRSWXYZ')}`
    const head = body === 'ZZ' ? 'AB' : body
    const [a, b, c] = [random.like('##'), random.like('##'), random.like('##')]
    const gap = random.pick(['', ' '])
    return `${head}${gap}${a}${gap}${b}${gap}${c}${gap}${random.pick('ABCD')}`
  },
  ie_pps(random) {
    const body = random.like('#######')
    const total = dot(digitsOf(body), [8, 7, 6, 5, 4, 3, 2])
    const second = random.pick(['', 'A', 'B'])
    const extra = second === '' ? 0 : UPPER.indexOf(second) + 1
    return `${body}${`W${UPPER}`[(total + 9 * extra) % 23]}${second}`
  },
  fr_nir(random) {
    const { yy, mm } = random.date()
    const department = String(random.between(21, 95))
    const parts = [random.pick('12'), yy, mm, department, random.like('###'), random.like('###')]
    const key = 97n - (BigInt(parts.join('')) % 97n)
    return [...parts, String(key).padStart(2, '0')].join(random.pick(['', ' ']))
  },
  de_tax_id(random) {
    for (;;) {
      const body = random.pick('123456789') + random.of(DIGITS, 9)
      const times = [...DIGITS].map((digit) => body.split(digit).length - 1)
      if (times.filter((count) => count >= 2).length !== 1 || Math.max(...times) > 3) continue
      let carry = 10
      for (const digit of digitsOf(body)) {
        const step = (digit + carry) % 10 || 10
        carry = (step * 2) % 11
      }
      const number = `${body}${(11 - carry) % 10}`
      return random.next() < 0.5 ? number.replace(/^(..)(...)(...)/, '$1 $2 $3 ') : number
    }
  },
  nl_bsn: (random) =>
    drawn(random, `${random.pick('123')}########`, (digits) => {
      const [last, body] = [digits[8]!, digits.slice(0, 8)]
      return sum(body.map((digit, at) => digit * (9 - at))) % 11 === last
    }),
  be_national_number(random) {
    const { yyyy, yy, mm, dd } = random.date()
    const serial = String(random.between(1, 997)).padStart(3, '0')
    const body = `${yy}${mm}${dd}${serial}`
    const key = 97n - (BigInt(Number(yyyy) >= 2000 ? `2${body}` : body) % 97n)
    const check = String(key).padStart(2, '0')
    if (random.next() < 0.4) return body + check
    return `${yy}.${mm}.${dd}-${serial}.${check}`
  },
  ch_ahv(random) {
    const body = `756${random.like('#########')}`
    const total = sum(digitsOf(body).map((digit, at) => digit * (at % 2 === 0 ? 1 : 3)))
    const number = `${body}${(100 - (total % 10)) % 10}`
    return random.next() < 0.6 ? number.replace(/^(...)(....)(....)/, '$1.$2.$3.') : number
  },
  at_svnr(random) {
    for (;;) {
      const { yy, mm, dd } = random.date()
      const serial = String(random.between(100, 999))
      const [a, b, c] = digitsOf(serial)
      const check =
        (3 * a! + 7 * b! + 9 * c! + dot(digitsOf(dd + mm + yy), [5, 8, 4, 2, 1, 6])) % 11
      if (check < 10) return `${serial}${check}${random.pick(['', ' '])}${dd}${mm}${yy}`
    }
  },
  es_dni(random) {
    const body = random.like('########')
    const letters = 'TRWAGMYFPDXBNJZSQVHLCKE'
    if (random.next() < 0.7) return `${body}${random.pick(['', '-'])}${letters[Number(body) % 23]}`
    const head = random.between(0, 2)
    const number = head * 10_000_000 + Number(body.substring(1))
    return `${'XYZ'[head]}${body.substring(1)}${letters[number % 23]}`
  },
  it_codice_fiscale(random) {
    const { yy, dd } = random.date()
    const body = `${random.like('@@@@@@')}${yy}${random.pick('ABCDEHLMPRST')}${dd}${random.like('@###')}`
    const odd: Record<string, number> = {}
    const order = 'BAKPLCQDREVOSFTGUHMINJWZYX'
    // The table of the decree, by rank: B or 1 is worth 0, A or 0 is worth 1, and so on.
    for (const [rank, letter] of [...order].entries()) odd[letter] = rank
    for (const [at, letter] of [...'ABCDEFGHIJ'].entries()) odd[String(at)] = odd[letter]!
    const even = (one: string) => (/[0-9]/.test(one) ? Number(one) : UPPER.indexOf(one))
    const total = [...body].map((one, at) => (at % 2 === 0 ? odd[one]! : even(one)))
    return `${body}${UPPER[sum(total) % 26]}`
  },
  pl_pesel(random) {
    const { yyyy, yy, mm, dd } = random.date()
    const month = Number(yyyy) >= 2000 ? String(Number(mm) + 20) : mm
    const body = `${yy}${month}${dd}${random.like('####')}`
    const total = sum(digitsOf(body).map((digit, at) => digit * [1, 3, 7, 9][at % 4]!))
    return `${body}${(1000 - total) % 10}`
  },
  pt_nif: (random) =>
    drawn(random, `${random.pick('125')}########`, (digits) => {
      const total = sum(digits.slice(0, 8).map((digit, at) => digit * (9 - at)))
      const check = 11 - (total % 11)
      return digits[8] === (check >= 10 ? 0 : check)
    }),
  ro_cnp(random) {
    const { yyyy, yy, mm, dd } = random.date()
    const head = Number(yyyy) >= 2000 ? random.pick('56') : random.pick('12')
    const body = `${head}${yy}${mm}${dd}${String(random.between(1, 46)).padStart(2, '0')}${random.like('###')}`
    const rest = dot(digitsOf(body), digitsOf('279146358279')) % 11
    return `${body}${rest === 10 ? 1 : rest}`
  },
  cz_rodne_cislo(random) {
    for (;;) {
      const { yy, mm, dd } = random.date()
      const month = random.next() < 0.5 ? mm : String(Number(mm) + 50)
      const serial = random.like('####')
      if (BigInt(`${yy}${month}${dd}${serial}`) % 11n === 0n)
        return `${yy}${month}${dd}${random.pick(['/', '/', ''])}${serial}`
    }
  },
  tr_tckn(random) {
    const body = random.pick('123456789') + random.of(DIGITS, 8)
    const digits = digitsOf(body)
    const odd = sum(digits.filter((_, at) => at % 2 === 0))
    const even = sum(digits.filter((_, at) => at % 2 === 1))
    const tenth = (((odd * 7 - even) % 10) + 10) % 10
    return `${body}${tenth}${(odd + even + tenth) % 10}`
  },
  se_personnummer(random) {
    const { yyyy, yy, mm, dd } = random.date()
    const serial = random.like('###')
    const check = withLuhn(`${yy}${mm}${dd}${serial}`).at(-1)
    const head = random.next() < 0.5 ? yyyy : yy
    return `${head}${mm}${dd}${random.pick(['-', '-', ''])}${serial}${check}`
  },
  fi_hetu(random) {
    const { yyyy, yy, mm, dd } = random.date()
    const serial = String(random.between(2, 899)).padStart(3, '0')
    const check = '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(`${dd}${mm}${yy}${serial}`) % 31]
    return `${dd}${mm}${yy}${Number(yyyy) >= 2000 ? 'A' : '-'}${serial}${check}`
  },
  no_fodselsnummer(random) {
    for (;;) {
      const { yy, mm, dd } = random.date()
      const body = digitsOf(`${dd}${mm}${yy}${random.like('###')}`)
      const first = (11 - (dot(body, [3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11)) % 11
      const second = (11 - (dot([...body, first], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11
      if (first < 10 && second < 10)
        return `${body.slice(0, 6).join('')}${random.pick(['', ' '])}${body.slice(6).join('')}${first}${second}`
    }
  },
  dk_cpr(random) {
    const { yy, mm, dd } = random.date()
    return `${dd}${mm}${yy}${random.pick(['-', '-', ''])}${random.like('####')}`
  },
  ...ASIA,
  au_tfn: (random) =>
    drawn(random, `${random.pick('1234')}########`, (digits) => {
      return dot(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
    }),
  za_id(random) {
    const { yy, mm, dd } = random.date()
    return withLuhn(`${yy}${mm}${dd}${random.like('####')}${random.pick('01')}8`)
  },
  passport_mrz(random) {
    const check = (text: string) => {
      const worth = (one: string) => (one === '<' ? 0 : parseInt(one, 36))
      return sum([...text].map((one, at) => worth(one) * [7, 3, 1][at % 3]!)) % 10
    }
    const { yy, mm, dd } = random.date()
    const number = random.like('@########')
    const [born, until] = [`${yy}${mm}${dd}`, `3${random.pick(DIGITS)}${mm}${dd}`]
    const country = random.pick(['UTO', 'GBR', 'D<<', 'FRA'])
    const own = `${number}${check(number)}${country}${born}${check(born)}${random.pick('MF')}${until}${check(until)}`
    return `${own}${'<'.repeat(14)}00`
  },
  imei(random) {
    const body = `35${random.like('############')}`
    const number = withLuhn(body)
    return random.next() < 0.3 ? number.replace(/^(..)(.{6})(.{6})/, '$1-$2-$3-') : number
  },
  uk_nhs_number(random) {
    const text = drawn(random, `${random.pick('469')}#########`, (digits) => {
      const check = 11 - (sum(digits.slice(0, 9).map((digit, at) => digit * (10 - at))) % 11)
      return (check === 11 ? 0 : check) === digits[9]
    })
    return random.next() < 0.5 ? text.replace(/^(...)(...)/, '$1 $2 ') : text
  },
  us_mbi(random) {
    const letters = 'ACDEFGHJKMNPQRTUVWXY'
    const both = letters + DIGITS
    const one = (alphabet: string) => random.pick(alphabet)
    const gap = random.pick(['', '-'])
    const head = `${one('123456789')}${one(letters)}${one(both)}${one(DIGITS)}`
    return `${head}${gap}${one(letters)}${one(both)}${one(DIGITS)}${gap}${random.of(letters, 2)}${random.like('##')}`
  },
  us_npi(random) {
    const body = random.pick('12') + random.of(DIGITS, 8)
    return withLuhn(body, `80840${body}`)
  },
  us_dea(random) {
    const [a, b, c, d, e, f] = digitsOf(random.like('######'))
    const total = a! + c! + e! + 2 * (b! + d! + f!)
    return `${random.pick('ABFGMPR')}${random.pick(UPPER)}${a}${b}${c}${d}${e}${f}${total % 10}`
  },
  au_medicare(random) {
    const body = random.pick('23456') + random.of(DIGITS, 7)
    const [a, b, c, d, e, f, g, h] = digitsOf(body)
    const check = (a! + 3 * b! + 7 * c! + 9 * d! + e! + 3 * f! + 7 * g! + 9 * h!) % 10
    const number = `${body}${check}${random.between(1, 5)}`
    return random.next() < 0.5 ? number.replace(/^(....)(.{5})/, '$1 $2 ') : number
  },
  de_health_insurance(random) {
    const letter = random.pick(UPPER)
    const body = random.like('########')
    const spelled = String(UPPER.indexOf(letter) + 1).padStart(2, '0') + body
    const parts = digitsOf(spelled).map((digit, at) =>
      sum(digitsOf(String(digit * (1 + (at % 2))))),
    )
    return `${letter}${body}${sum(parts) % 10}`
  },
  npm_token(random) {
    const body = random.of(BASE62, 30)
    const table = Array.from({ length: 256 }, (_, at) => {
      let value = at
      for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
      return value >>> 0
    })
    let crc = 0xffffffff
    for (const byte of Buffer.from(body)) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8)
    let number = (crc ^ 0xffffffff) >>> 0
    let check = ''
    for (; check.length < 6; number = Math.floor(number / 62)) check = BASE62[number % 62] + check
    return `npm_${body}${check}`
  },
}
