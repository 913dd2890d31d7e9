/**
 * Part of `npm run build`: copies what is read beside the code at run time (SQL, JSON, …) from the sources to dist, and makes
 * the command a program: npx does so only when it first links it, and each build writes it anew.
 */
import { chmodSync, cpSync, readdirSync, readFileSync, statSync } from 'node:fs'
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

const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755)
