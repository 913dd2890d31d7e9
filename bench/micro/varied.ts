/**
 * Pure. Rows as they stand in a shop's tables, no two values alike: what measures patterns must not
 * be a few texts over and over, which any cache makes fast.
 */

const WORDS = (
  'parcel neighbour floor refund paid morning french german late damaged replaced wrong size colour ' +
  'second order delivered asked called wants invoice address again before after weekend left with the ' +
  'and for from without signed door garden returned twice prefers small blue large green contact'
).split(' ')
const NAMES =
  'Ada Bruno Chiara Dmitri Elif Farid Greta Hugo Ines Jonas Karim Lena Milan Noor'.split(' ')
const FAMILIES = 'Okafor Lindqvist Moreau Tanaka Rossi Novak Silva Haddad Brandt Kowalski'.split(
  ' ',
)

/** id; name; e-mail, address of a page or an id; sentence; number, price, UUID or time; city. */
export function variedRows(count: number): readonly (readonly string[])[] {
  let seed = 4711
  const below = (bound: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % bound
  }
  const pick = (list: readonly string[]): string => list[below(list.length)]!
  const hex = (length: number): string =>
    Array.from({ length }, () => below(16).toString(16)).join('')
  const sentence = (): string => Array.from({ length: 4 + below(14) }, () => pick(WORDS)).join(' ')
  const name = (): string => `${pick(NAMES)} ${pick(FAMILIES)}-${pick(FAMILIES)}`
  const shops: readonly (() => string)[] = [
    () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    () => `${below(900)}.${below(90) + 10}`,
    () => `ORD-2024-${below(1_000_000)}`,
    () => `${below(9) + 1},${below(900) + 100}.00 EUR`,
    () => `2024-0${below(9) + 1}-1${below(9)} 1${below(9)}:${below(49) + 10}:${below(49) + 10}`,
    () => String(below(10_000_000)),
    () => `SKU ${hex(3).toUpperCase()}-${below(10_000)}`,
  ]
  return Array.from({ length: count }, (_, id) => [
    String(100_000 + id),
    name(),
    id % 20 === 0 ? `c${below(100_000)}@mail.example` : `/shop/${pick(WORDS)}/${below(100_000)}`,
    `${sentence()} ${below(3) === 0 ? `${below(90_000)}, ${sentence()}` : sentence()}.`,
    shops[id % shops.length]!(),
    `${pick(FAMILIES)} ${pick(WORDS)} ${below(200)}`,
  ])
}
