/**
 * Pure once loaded. The only door to libpg-query: PostgreSQL's own grammar (version 18) as WebAssembly.
 *
 * Does not use the package's own `parse`: a text nested deeply enough overflows the stack inside the module, and
 * the module never gives that stack back, so that about forty such texts end it for everybody [tried]. Here an
 * instance that failed in any way but by reporting an error is thrown away and a spare takes its place.
 */
import { createRequire } from 'node:module'
import type { ParseResult, RawStmt } from 'libpg-query'
import type { OpaqueReason } from '../../../decide/action.ts'

export type * from 'libpg-query'

/** Part of the key of cached facts. */
export const PARSER_VERSION = 'libpg-query-18'

/** An instance whose memory has grown beyond this is replaced; memory of WebAssembly never shrinks. */
const INSTANCE_BYTES_MAX = 192 * 1024 * 1024

/** What we use of an instance that Emscripten made. Pointers are numbers. */
interface Instance {
  readonly HEAPU8: Uint8Array
  _malloc(size: number): number
  _free(pointer: number): void
  _wasm_parse_query_raw(text: number): number
  _wasm_free_parse_result(result: number): void
  getValue(pointer: number, type: 'i32'): number
  UTF8ToString(pointer: number): string
  stringToUTF8(text: string, pointer: number, room: number): void
}

const makeInstance: () => Promise<Instance> = createRequire(import.meta.url)(
  'libpg-query/wasm/libpg-query.js',
)

let current: Instance | undefined
let spare: Instance | undefined
let making: Promise<void> | undefined

/** To be awaited once per thread before the first `parse`. */
export async function loadParser(): Promise<void> {
  current ??= await makeInstance()
  await stock()
}

/** Sees to it that a spare stands ready. */
function stock(): Promise<void> {
  if (spare !== undefined) return Promise.resolve()
  making ??= makeInstance().then(
    (made) => {
      spare = made
      making = undefined
    },
    () => {
      making = undefined // The next replacement tries again; until then texts are opaque.
    },
  )
  return making
}

function replaceInstance(): void {
  current = spare
  spare = undefined
  void stock().then(() => {
    if (current !== undefined) return
    current = spare
    spare = undefined
    void stock()
  })
}

export interface Parsed {
  readonly statements: readonly RawStmt[]
}

/** All statements of a text, or why it is not understood. Never throws. */
export function parse(text: string): Parsed | OpaqueReason {
  if (text.includes('\u0000')) return opaque('The text holds a zero byte.')
  if (current === undefined) return opaque('The parser is being restarted; try again.')
  const instance = current
  try {
    const parsed = run(instance, text)
    if (instance.HEAPU8.length > INSTANCE_BYTES_MAX && spare !== undefined) replaceInstance()
    return parsed
  } catch {
    replaceInstance()
    return opaque('The text is nested too deeply for the parser.')
  }
}

/** Structures of pg_query.h: result = tree, stderr, error; error = message, function, file, line, position. */
function run(instance: Instance, text: string): Parsed | OpaqueReason {
  const size = Buffer.byteLength(text) + 1
  const pointer = instance._malloc(size)
  instance.stringToUTF8(text, pointer, size)
  const result = instance._wasm_parse_query_raw(pointer)
  const tree = instance.getValue(result, 'i32')
  const error = instance.getValue(result + 8, 'i32')
  let answer: Parsed | OpaqueReason
  if (error !== 0) {
    const position = instance.getValue(error + 16, 'i32')
    answer = {
      reason: instance.UTF8ToString(instance.getValue(error, 'i32')),
      position: position > 0 ? position : undefined,
    }
  } else {
    const parsed: ParseResult = JSON.parse(instance.UTF8ToString(tree))
    answer = { statements: parsed.stmts ?? [] }
  }
  instance._free(pointer)
  instance._wasm_free_parse_result(result)
  return answer
}

function opaque(reason: string): OpaqueReason {
  return { reason, position: undefined }
}
