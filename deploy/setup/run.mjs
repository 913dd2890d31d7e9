/** Runs a program for the set-up, in sight of the person who waits for it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Something a person must put right; its message is all that is shown. */
export class SetupError extends Error {}

/** One line of progress. */
export function say(text) {
  process.stderr.write(`sluice: ${text}\n`)
}

/** True when the program ended with 0. Its output goes to standard error, so that standard output stays clean. */
export function run(program, args, options = {}) {
  const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options })
  return status === 0
}

/** Runs the npm that runs us. */
export function npm(root, args) {
  const env = { ...process.env }
  // Headers that came with this Node spare node-gyp a download.
  const prefix = dirname(dirname(process.execPath))
  if (existsSync(join(prefix, 'include/node/node.h'))) {
    env.npm_package_config_node_gyp_nodedir = prefix
  }
  const path = process.env.npm_execpath
  const [program, first] = path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []]
  return run(program, [...first, ...args], { cwd: root, env })
}
