/**
 * IO (files). On a disk that was full when its tables were made the embedded engine has kept empty definitions of them, with
 * which it never opens again. Where nothing is kept under one it is taken away, and the table is made anew.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What rows lie in: `202611_1_8_2`, `all_1_1_0`. */
const PART = /_\d+_\d+_\d+(_\d+)?$/
const UUID = /UUID '([0-9a-f-]{36})'/g

/**
 * How many were taken away. Throws where rows lie in a folder that no definition names: whose they are cannot be known.
 * `store`: the engine's own folder, not open.
 */
export function removeEmptyDefinitions(store: string): number {
  const databases = definitionsIn(join(store, 'metadata'))
  const tables = foldersOf(store).flatMap(definitionsIn)
  const files = [...databases, ...tables]
  const empty = files.filter((file) => statSync(file).size === 0)
  if (empty.length === 0) return 0
  // Without its database a table's definition names nothing.
  const isWhole = databases.every((file) => !empty.includes(file))
  const known = isWhole ? [...files, ...definitionsIn(join(store, 'metadata_dropped'))] : []
  const named = new Set(
    known.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(UUID)].map(([, uuid]) => uuid)),
  )
  const lost = foldersOf(store).find((folder) => {
    const name = folder.substring(folder.lastIndexOf('/') + 1)
    return !named.has(name) && readdirSync(folder).some((part) => PART.test(part))
  })
  if (lost !== undefined)
    throw new Error(
      `The record store does not open: ${empty[0]} is empty, and the rows in ${lost} belong to such a table. ` +
        'Bring that file back from a backup, or move the whole folder of the store away: a new one is made then.',
    )
  for (const file of empty) rmSync(file)
  return empty.length
}

function definitionsIn(folder: string): string[] {
  return entriesOf(folder).filter((path) => path.endsWith('.sql'))
}

/** Of tables, and of databases, which hold definitions. */
function foldersOf(store: string): string[] {
  return entriesOf(join(store, 'store'))
    .flatMap(entriesOf)
    .filter((path) => statSync(path).isDirectory())
}

function entriesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}
