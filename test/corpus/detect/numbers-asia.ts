/** Pure. Numbers of issuers in Asia, made as `numbers.ts` says. */
import { digitsOf, dot, type Make, sum } from './checks.ts'
import { DIGITS, UPPER } from './random.ts'

export const ASIA: Readonly<Record<string, Make>> = {
  in_aadhaar(random) {
    // Verhoeff by the published tables, the last digit found by trying.
    const body = random.pick('23456789') + random.of(DIGITS, 10)
    const last = [...DIGITS].find((digit) => verhoeffSum(body + digit) === 0)!
    const number = body + last
    return random.next() < 0.6 ? number.replace(/(....)(?=.)/g, '$1 ') : number
  },
  in_pan: (random) =>
    `${random.like('@@@')}${random.pick('PCHF')}${random.like('@')}${random.between(1, 9)}${random.like('###@')}`,
  cn_resident_id(random) {
    const { yyyy, mm, dd } = random.date()
    const area = random.pick(['110105', '310104', '440106', '510107'])
    const body = `${area}${yyyy}${mm}${dd}${random.like('###')}`
    // Weights are powers of two modulo 11.
    const total = digitsOf(body).reduce((all, digit, at) => all + digit * (2 ** (17 - at) % 11), 0)
    const check = (12 - (total % 11)) % 11
    return `${body}${check === 10 ? 'X' : check}`
  },
  kr_rrn(random) {
    const { yyyy, yy, mm, dd } = random.date()
    const body = `${yy}${mm}${dd}${Number(yyyy) >= 2000 ? random.pick('34') : random.pick('12')}${random.like('#####')}`
    const total = sum(digitsOf(body).map((digit, at) => digit * (2 + (at % 8))))
    const check = (11 - (total % 11)) % 10
    return `${body.substring(0, 6)}${random.pick(['-', '-', ''])}${body.substring(6)}${check}`
  },
  jp_my_number(random) {
    const body = random.like('###########')
    const turned = digitsOf(body).reverse()
    const rest = sum(turned.map((digit, at) => digit * (at < 6 ? at + 2 : at - 4))) % 11
    const number = `${body}${rest <= 1 ? 0 : 11 - rest}`
    return random.next() < 0.5 ? number.replace(/(....)(?=.)/g, '$1 ') : number
  },
  sg_nric(random) {
    const head = random.pick('STFG')
    const body = random.like('#######')
    const total = dot(digitsOf(body), [2, 7, 6, 5, 4, 3, 2]) + ('TG'.includes(head) ? 4 : 0)
    const letters = 'ST'.includes(head) ? 'ABCDEFGHIZJ' : 'KLMNPQRTUWX'
    return `${head}${body}${letters[10 - (total % 11)]}`
  },
  hk_id(random) {
    const letter = random.pick(UPPER)
    const body = random.like('######')
    const total =
      36 * 9 + (UPPER.indexOf(letter) + 10) * 8 + dot(digitsOf(body), [7, 6, 5, 4, 3, 2])
    const check = (11 - (total % 11)) % 11
    return `${letter}${body}(${check === 10 ? 'A' : check})`
  },
}

const TIMES = [
  '0123456789', '1234067895', '2340178956', '3401289567', '4012395678',
  '5987604321', '6598710432', '7659821043', '8765932104', '9876543210',
] // biome-ignore format: a table
const TURNS = [
  '0123456789', '1576283094', '5803796142', '8916043527',
  '9453126870', '4286573901', '2793806415', '7046913258',
] // biome-ignore format: a table

function verhoeffSum(text: string): number {
  return digitsOf(text)
    .reverse()
    .reduce((all, digit, at) => Number(TIMES[all]![Number(TURNS[at % 8]![digit])]), 0)
}
