/** IO. A copy of the build whose recorder writes nothing, for the bench alone: what the record costs is what it is faster by. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the copy, made anew. Inside `dist`, so that packages are found from there. */
export function unrecordedBuild(): string {
  const dist = fileURLToPath(new URL('../..', import.meta.url))
  const made = join(dist, 'unrecorded')
  rmSync(made, { recursive: true, force: true })
  for (const part of ['src', 'workers'])
    cpSync(join(dist, part), join(made, part), { recursive: true })
  cpSync(join(dist, 'bench/peers/silent-recorder.js'), join(made, 'src/record/recorder.js'))
  return made
}
