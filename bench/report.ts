/** IO. `npm run bench:report`: puts the last figures of history.ndjson's full runs into bench/README.md and draws bench/ladder.svg. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { figures, type Kept, ladderPicture, latest } from './figures.ts'

const BEGIN = '<!-- figures: npm run bench:report -->'
const END = '<!-- end of figures -->'
// Compiled or not, the sources are what is read and written.
const FOLDER = new URL(import.meta.url.includes('/dist/') ? '../../bench/' : './', import.meta.url)
const at = (name: string): string => fileURLToPath(new URL(name, FOLDER))

const runs = readFileSync(at('history.ndjson'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Kept)
const run = latest(runs)
if (run === undefined) throw new Error('history.ndjson holds no full run: npm run bench')

const readme = readFileSync(at('README.md'), 'utf8')
const [before, rest] = readme.split(BEGIN)
const after = rest?.split(END)[1]
if (after === undefined) throw new Error('bench/README.md has lost the place for its figures')
writeFileSync(at('README.md'), `${before}${BEGIN}\n\n${figures(run)}\n${END}${after}`)
writeFileSync(at('ladder.svg'), ladderPicture(run.ladder))
