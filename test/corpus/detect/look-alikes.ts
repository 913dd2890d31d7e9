/**
 * Pure. What looks like a secret and is none, as it comes out of shops, clocks, build systems and
 * editors: nothing here knows how a detector checks. A random number may meet a check by chance, as
 * it would in a real database; that counts against the detector.
 */
import { createHash } from 'node:crypto'
import { BASE62, DIGITS, HEX, LOWER, type Random, UPPER } from './random.ts'

export interface LookAlike {
  readonly kind: string
  readonly text: string
  /** Of the column that it stands in. */
  readonly column: string
}

type Make = (random: Random) => readonly [text: string, column: string]

const WORDS = [
  'parcel',
  'winter',
  'blue',
  'fast',
  'report',
  'delta',
  'north',
  'paper',
  'river',
  'stone',
]

function uuid(r: Random): string {
  return `${r.of(HEX, 8)}-${r.of(HEX, 4)}-4${r.of(HEX, 3)}-${r.pick('89ab')}${r.of(HEX, 3)}-${r.of(HEX, 12)}`
}

function digest(r: Random, name: string): string {
  return createHash(name).update(r.of(BASE62, 12)).digest('hex')
}

const KINDS: Readonly<Record<string, Make>> = {
  'order number': (r) => [
    r.pick([
      r.like('ORD-########'),
      r.like('2024-######'),
      r.like('#######'),
      r.like('SO##########'),
      r.like('@@-######-@'),
      r.like('###-#######-#######'),
      r.like('4#########'),
      `order ${r.like('#####')}, paid on ${r.between(1, 28)} May`,
      `Refund for order no. ${r.like('#########')} was sent`,
      `PO ${r.like('###-###-####')}`,
    ]),
    'order_no',
  ],
  'article number': (r) => [
    r.pick([
      r.like('978-#-##-######-#'),
      r.like('40########### '),
      r.like('@@@-####-@@'),
      r.like('##.###.###'),
      r.like('B0########'),
    ]),
    'sku',
  ],
  'tracking number': (r) => [
    r.pick([
      r.like('1Z@@##@#03########'),
      r.like('9400############ ######'),
      r.like('JD##############'),
      r.like('############'),
      r.like('RR#########DE'),
    ]),
    'tracking',
  ],
  'serial number': (r) => [
    r.pick([
      r.like('SN@##@####@#'),
      r.like('S/N ##@@####'),
      r.like('C02@####@@@#'),
      r.like('###############'),
    ]),
    'serial',
  ],
  hash: (r) => [
    r.pick([
      digest(r, 'md5'),
      digest(r, 'sha1'),
      digest(r, 'sha256'),
      `sha256:${digest(r, 'sha256')}`,
    ]),
    'checksum',
  ],
  uuid: (r) => [r.next() < 0.8 ? uuid(r) : uuid(r).toUpperCase(), 'id'],
  ulid: (r) => [`01${r.of('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24)}`, 'id'],
  price: (r) => [
    r.pick([
      `${r.between(1, 999)}.${r.like('##')}`,
      `EUR ${r.between(1, 9)}.${r.like('###')},${r.like('##')}`,
      `$${r.between(1, 9)},${r.like('###')},${r.like('###')}.00`,
      `${r.between(100, 999)} ${r.like('###')} ${r.like('###')} kr`,
    ]),
    'price',
  ],
  'phone-like id': (r) => [
    r.pick([
      r.like('##-####-####'),
      r.like('ID ###-###-####'),
      r.like('ticket ###-####'),
      r.like('####-###-###'),
      r.like('Ref: ### ### ####'),
      r.like('case #### ### ####'),
      r.like('0###-##-##'),
    ]),
    'reference',
  ],
  time: (r) => [
    r.pick([
      new Date(r.between(1.2e9, 1.9e9) * 1000).toISOString(),
      `${r.between(2001, 2029)}-0${r.between(1, 9)}-1${r.like('#')} 1${r.like('#')}:${r.between(10, 59)}:${r.between(10, 59)}.${r.like('######')}+02`,
      String(r.between(1.2e9, 1.9e9)),
      `${r.between(1.2e9, 1.9e9)}${r.like('###')}`,
      `${r.like('20240#1#T1#')}${r.like('3#1#Z')}`,
      `1${r.like('#')}.0${r.between(1, 9)}.${r.between(1950, 2024)}`,
    ]),
    'created_at',
  ],
  version: (r) => [
    r.pick([
      `v${r.between(1, 20)}.${r.between(0, 40)}.${r.between(0, 90)}`,
      `version ${r.between(1, 12)}.${r.between(0, 9)}.${r.between(1000, 22000)}.${r.between(1, 999)}`,
      `driver version ${r.between(1, 30)}.0.${r.between(1, 99)}.${r.between(1, 99)}`,
      `${r.pick(WORDS)}@${r.between(1, 9)}.${r.between(0, 9)}.${r.between(0, 30)}`,
      `Firmware ${r.like('#.#.#.##')}`,
    ]),
    'version',
  ],
  code: (r) => [
    r.pick([
      `const password = form.get('${r.pick(WORDS)}')`,
      'if (token === undefined) return refuse(request.headers.authorization)',
      `std::${r.pick(WORDS)}::${r.pick(WORDS)} f${r.between(1, 99)}(std::vector<int>{1, 2, 3});`,
      `password: string; secret: Buffer; apiKey?: string`,
      `SELECT id, name FROM ${r.pick(WORDS)} WHERE created > now() - interval '${r.between(1, 90)} days'`,
      `UPDATE ${r.pick(WORDS)} SET count = count + ${r.between(1, 9)} WHERE id IN (${r.like('####, ####, ####')})`,
      `PGPASSWORD=\${DB_PASSWORD} psql -h \${DB_HOST} -U app`,
      `DATABASE_URL=postgres://app:\${DB_PASSWORD}@db:5432/${r.pick(WORDS)}`,
      `password = os.environ["${r.pick(WORDS).toUpperCase()}_PASSWORD"]`,
      `@app.route("/${r.pick(WORDS)}/<int:id>")`,
      `git clone git@git.example.com:team/${r.pick(WORDS)}.git`,
      `<img src="icon@2x.png" srcset="${r.pick(WORDS)}@3x.png 3x">`,
      `grid-template: ${r.like('##')}px / ${r.like('##')}fr; color: #${r.of(HEX, 6)};`,
      `curl -H "Authorization: Bearer $TOKEN" https://api.example/v1/${r.pick(WORDS)}`,
      `export function ${r.pick(WORDS)}${r.like('@&&&&&')}ByAccountAndRegionForExport(): void {}`,
      `for (let i = 0; i < ${r.like('####')}; i++) sum += table[i * ${r.like('##')}]`,
    ]),
    'body',
  ],
  path: (r) => [
    r.pick([
      `/srv/data/${r.pick(WORDS)}/2024/0${r.between(1, 9)}/${r.like('########')}.csv`,
      `https://www.example.com/${r.pick(WORDS)}?page=${r.between(1, 99)}&sort=name`,
      `C:\\Users\\Public\\${r.pick(WORDS)}\\${r.like('####')}.docx`,
      `s3://bucket/${r.pick(WORDS)}/part-${r.like('#####')}-of-00128`,
    ]),
    'path',
  ],
  fingerprint: (r) => [
    r.pick([
      Array.from({ length: 20 }, () => r.of(HEX, 2)).join(':'),
      Array.from({ length: 16 }, () => r.of(HEX, 2)).join(':'),
      Array.from({ length: 8 }, () => r.of(HEX, 2)).join('-'),
    ]),
    'fingerprint',
  ],
  coordinates: (r) => [
    `${r.between(-89, 89)}.${r.like('######')}, ${r.between(-179, 179)}.${r.like('######')}`,
    'position',
  ],
  account: (r) => [
    r.pick([
      r.like('##########'),
      r.like('#########'),
      r.like('###########'),
      r.like('############'),
      r.like('#############'),
      r.like('##############'),
    ]),
    r.pick(['customer_no', 'account', 'member']),
  ],
  name: (r) => [
    r.pick([
      `${r.like('@&&&&')} ${r.like('@&&&&&&')}`,
      `${r.pick(WORDS)}_${r.pick(WORDS)}_${r.like('##')}`,
      `${r.like('@@')}${r.like('###')} ${r.pick(WORDS)}`,
      `${r.pick(UPPER)}${r.of(LOWER, 9)}${r.pick(UPPER)}${r.of(LOWER, 9)}${r.pick(UPPER)}${r.of(LOWER, 7)}`,
    ]),
    'name',
  ],
  prose: (r) => [
    r.pick([
      `Left the ${r.pick(WORDS)} with the neighbour on floor ${r.between(1, 9)}, they sign at ${r.between(10, 19)}:${r.between(10, 59)}.`,
      `Chapter ${r.between(1, 20)}.${r.between(1, 9)}.${r.between(1, 9)}.${r.between(1, 9)} of the manual explains it on page ${r.between(1, 400)}.`,
      `The password must have at least ${r.between(8, 16)} characters and a digit.`,
      `Your token has expired: please sign in again.`,
      `Match ended ${r.between(0, 5)}:${r.between(0, 5)} after ${r.between(90, 120)} minutes, ${r.like('##,###')} people came.`,
      `Room ${r.like('###')} is ${r.between(10, 90)} m2 and costs ${r.like('####')} a month.`,
      `The secret: patience, and ${r.between(2, 9)} kg of ${r.pick(WORDS)}.`,
    ]),
    'note',
  ],
  measures: (r) => [
    Array.from({ length: 6 }, () => r.like(r.pick(['##', '#.#', '###', '##.##']))).join(
      r.pick([' ', ', ', ';']),
    ),
    'values',
  ],
  plate: (r) => [r.pick([r.like('@@-@@ ####'), r.like('@@## @@@'), r.like('#@@@###')]), 'plate'],
  flags: (r) => [r.of(r.pick(['01', DIGITS, 'xo-', '.#']), r.between(6, 40)), 'bits'],
}

export function lookAlike(random: Random): LookAlike {
  const kind = random.pick(Object.keys(KINDS))
  const [text, column] = KINDS[kind]!(random)
  return { kind, text, column }
}
