/** Compiles when a source is newer than the last build. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm, SetupError, say } from './run.mjs'

const SOURCES = ['src', 'workers', 'bench', 'test', 'deploy/assets.mjs']
const SETTINGS = ['tsconfig.json', 'package-lock.json']

export function ensureBuilt(root) {
  const stamp = join(root, 'dist/.built')
  const wanted = fingerprint(root)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  say('building')
  // Files of sources that are gone would still be loaded by name.
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  if (!npm(root, ['run', '--silent', 'build'])) {
    throw new SetupError('the build failed; its messages stand above.')
  }
  writeFileSync(stamp, wanted)
}

/** Of names, sizes and times rather than contents: this runs at every start. */
function fingerprint(root) {
  const hash = createHash('sha256')
  for (const name of [...SOURCES, ...SETTINGS]) {
    const path = join(root, name)
    if (!existsSync(path)) continue
    const inside = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true }).sort()
      : ['']
    for (const file of inside) {
      const { size, mtimeMs } = statSync(join(path, file))
      hash.update(`${name}/${file} ${size} ${mtimeMs}\n`)
    }
  }
  return hash.digest('hex')
}
