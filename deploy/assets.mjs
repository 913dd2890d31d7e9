/** Part of `npm run build`: copies what is read beside the code at run time (SQL, JSON, …) from the sources to dist. */
import { cpSync, readdirSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const LEFT = new Set(['.ts', '.md', '.ndjson'])

for (const folder of ['src', 'workers', 'bench']) {
  for (const name of readdirSync(join(root, folder), { recursive: true })) {
    const path = join(root, folder, name)
    if (LEFT.has(extname(name)) || statSync(path).isDirectory()) continue
    cpSync(path, join(root, 'dist', folder, name))
  }
}
