/**
 * `npm run readme`: writes the parts of README.md that are made from the source, and the JSON schema of policies;
 * test/tidy compares them. Build first.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { policySchema } from '../dist/src/decide/policy-file.js'
import { KNOWN_DETECTORS } from '../dist/src/mask/detect.js'
import { withParts } from '../dist/test/tidy/readme.js'

const path = new URL('../README.md', import.meta.url)
writeFileSync(path, withParts(readFileSync(path, 'utf8')))

const schema = new URL('examples/policy.schema.json', import.meta.url)
writeFileSync(schema, `${JSON.stringify(policySchema(KNOWN_DETECTORS), undefined, 2)}\n`)
