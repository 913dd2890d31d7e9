/**
 * Pure. CIDR blocks and addresses, both versions of IP, without `node:net`.
 *
 * An IPv4 address that arrives mapped into IPv6 (`::ffff:10.0.0.1`, what a dual-stack listener reports) counts as the
 * IPv4 address that it is. RFC 4291 §2.2 for the text forms, RFC 4632 for the prefix.
 */

export interface Block {
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[]
  readonly prefix: number
}

/** undefined: not an address. 4 or 16 bytes, mapped IPv4 as 4. Zones (`%eth0`) are ignored. */
export function addressBytes(text: string): readonly number[] | undefined {
  const bytes = text.includes(':') ? bytes6(text.split('%', 1)[0]!) : bytes4(text)
  if (bytes === undefined || bytes.length === 4) return bytes
  const mapped = bytes.every((byte, at) => at >= 12 || byte === (at < 10 ? 0 : 0xff))
  return mapped ? bytes.filter((_, at) => at >= 12) : bytes
}

/** undefined: not a CIDR block. A bare address is the block of itself. */
export function parseBlock(text: string): Block | undefined {
  const [address, length, more] = text.split('/')
  const bytes = addressBytes(address!)
  if (bytes === undefined || more !== undefined) return undefined
  const bits = bytes.length * 8
  if (length === undefined) return { bytes, prefix: bits }
  if (!/^\d{1,3}$/.test(length)) return undefined
  // `::ffff:10.0.0.0/104` speaks of 128 bits and means a block of 32.
  const prefix = address!.includes(':') && bits === 32 ? Number(length) - 96 : Number(length)
  return prefix < 0 || prefix > bits ? undefined : { bytes, prefix }
}

export function blockHolds(block: Block, address: readonly number[]): boolean {
  if (block.bytes.length !== address.length) return false
  for (let bit = 0; bit < block.prefix; bit += 8) {
    const mask = block.prefix - bit >= 8 ? 0xff : (0xff00 >> (block.prefix - bit)) & 0xff
    if (((block.bytes[bit >> 3]! ^ address[bit >> 3]!) & mask) !== 0) return false
  }
  return true
}

/** False where either text is malformed: what cannot be read is not inside. */
export function isWithin(address: string, blocks: readonly string[]): boolean {
  const bytes = addressBytes(address)
  if (bytes === undefined) return false
  return blocks.some((text) => {
    const block = parseBlock(text)
    return block !== undefined && blockHolds(block, bytes)
  })
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || isWithin(address, ['127.0.0.0/8', '::1'])
}

function bytes4(text: string): number[] | undefined {
  const parts = text.split('.')
  // No leading zeros: some systems read them as octal.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part)))
    return undefined
  const bytes = parts.map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

function bytes6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined
  return [...head, ...new Array<number>(missing).fill(0), ...tail]
}

/** `last`: these groups end the address, so that they may close with a dotted IPv4 address. */
function groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [at, part] of parts.entries()) {
    if (last && at === parts.length - 1 && part.includes('.')) {
      const four = bytes4(part)
      if (four === undefined) return undefined
      bytes.push(...four)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      const value = Number.parseInt(part, 16)
      bytes.push(value >> 8, value & 0xff)
    } else return undefined
  }
  return bytes
}
