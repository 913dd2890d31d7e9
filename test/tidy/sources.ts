/** IO. The project's own sources as the tidy tests look at them: text, imports, kind. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Source {
  /** Relative to the repository: `src/base/id.ts`. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  readonly kind: 'Pure' | 'IO' | undefined
  readonly imports: readonly Import[]
}

export interface Import {
  /** As written: `node:fs`, `zod`, `../base/id.ts`. */
  readonly from: string
  /** `import type` or `export type`: gone when compiled. */
  readonly isType: boolean
  /** Path in the repository, for relative ones. */
  readonly file: string | undefined
}

/** `Pure.`, or `Pure` with what it depends on: `IO (the clock).` */
const HEAD = /^(?:#!.*\n)?\/\*\*\s+(?:\* )?(Pure|IO)\b[^.\n]*\.\s/
const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm

export function sources(...folders: readonly string[]): readonly Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => read(join(folder, name))),
  )
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path))
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const kind = HEAD.exec(text)?.[1]
  return {
    path,
    text,
    lines: text.replace(/\n$/, '').split('\n'),
    kind: kind === 'Pure' || kind === 'IO' ? kind : undefined,
    imports: importsOf(path, text),
  }
}

function importsOf(path: string, text: string): Import[] {
  return [...withoutComments(text).matchAll(IMPORT)].map((found) => {
    const from = found[2] ?? found[3] ?? ''
    const file = from.startsWith('.') ? normalize(join(dirname(path), from)) : undefined
    return { from, isType: found[1] !== undefined, file }
  })
}

/** Comments go, so that an example in one is not taken for code. Strings stay as they are. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*?[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** `@scope/name` or `name` of an import that is neither relative nor Node's own. */
export function packageOf(from: string): string | undefined {
  if (from.startsWith('.') || from.startsWith('node:')) return undefined
  const parts = from.split('/')
  return from.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0]
}
