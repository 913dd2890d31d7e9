/** Runs a program for the set-up, in sight of the person who waits for it. */
import { spawnSync } from 'node:child_process'

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

/** Runs the npm that runs us, with whatever headers of Node lie beside it, so that node-gyp need not fetch them. */
export function npm(root, args) {
  const env = { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false' }
  // Inherited from `npm start --…`: would change what is installed.
  delete env.npm_config_global
  const path = process.env.npm_execpath
  const [program, first] = path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []]
  return run(program, [...first, ...args], { cwd: root, env })
}
