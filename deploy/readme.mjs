/** `npm run readme`: writes the parts of README.md that are made from the source; test/tidy compares them. Build first. */
import { readFileSync, writeFileSync } from 'node:fs'
import { withParts } from '../dist/test/tidy/readme.js'

const path = new URL('../README.md', import.meta.url)
writeFileSync(path, withParts(readFileSync(path, 'utf8')))
