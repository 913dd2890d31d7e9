/**
 * Pure. SipHash-2-4 (Aumasson and Bernstein, 2012) of one word of 64 bits: a keyed function fast enough to be asked
 * ten times for each number that becomes a pseudonym, where a call into OpenSSL costs microseconds.
 *
 * Words of 64 bits are pairs of 32, low and high.
 */

/** The low half of the hash of (`low`, `high`) under a key of four words, k0 low, k0 high, k1 low, k1 high. */
export function keyedWord(key: Uint32Array, low: number, high: number): number {
  let [v0l, v0h] = [key[0]! ^ 0x70736575, key[1]! ^ 0x736f6d65]
  let [v1l, v1h] = [key[2]! ^ 0x6e646f6d, key[3]! ^ 0x646f7261]
  let [v2l, v2h] = [key[0]! ^ 0x6e657261, key[1]! ^ 0x6c796765]
  let [v3l, v3h] = [key[2]! ^ 0x79746573, key[3]! ^ 0x74656462]
  const round = (): void => {
    let sum = (v0l >>> 0) + (v1l >>> 0)
    v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
    v0l = sum | 0
    let turned = (v1l << 13) | (v1h >>> 19)
    v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
    v1l = turned ^ v0l
    turned = v0l
    v0l = v0h
    v0h = turned
    sum = (v2l >>> 0) + (v3l >>> 0)
    v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
    v2l = sum | 0
    turned = (v3l << 16) | (v3h >>> 16)
    v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
    v3l = turned ^ v2l
    sum = (v0l >>> 0) + (v3l >>> 0)
    v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0
    v0l = sum | 0
    turned = (v3l << 21) | (v3h >>> 11)
    v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
    v3l = turned ^ v0l
    sum = (v2l >>> 0) + (v1l >>> 0)
    v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0
    v2l = sum | 0
    turned = (v1l << 17) | (v1h >>> 15)
    v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
    v1l = turned ^ v2l
    turned = v2l
    v2l = v2h
    v2h = turned
  }
  v3l ^= low
  v3h ^= high
  round()
  round()
  v0l ^= low
  v0h ^= high
  // The last block holds the length, 8 bytes, in its highest byte.
  v3h ^= 0x08000000
  round()
  round()
  v0h ^= 0x08000000
  v2l ^= 0xff
  round()
  round()
  round()
  round()
  return (v0l ^ v1l ^ v2l ^ v3l) >>> 0
}
