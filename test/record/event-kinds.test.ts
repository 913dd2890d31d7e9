/** `events.md` is what event-kinds.ts says. `SLUICE_WRITE=1 npx vitest run test/record/event-kinds.test.ts` writes it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COLUMN_NAMES } from '../../src/record/columns.ts'
import { EVENT_KINDS } from '../../src/record/event-kinds.ts'

const PAGE = new URL('../../src/record/events.md', import.meta.url)

function page(): string {
  const kinds = Object.entries(EVENT_KINDS).map(([kind, { when, fields }]) => {
    const rows = Object.entries(fields).map(([name, says]) => `- \`${name}\`: ${says}`)
    return [`## ${kind}`, '', `Recorded ${when}.`, ...(rows.length > 0 ? ['', ...rows] : [])].join(
      '\n',
    )
  })
  return `# Recorded events, kind by kind

Made of \`event-kinds.ts\`. Every row also has the columns of its session, \`ts\`, \`seq\` (number within the session) and \`job_seq\`
(order within a job): [README](README.md). What a kind does not name is empty or 0.

${kinds.join('\n\n')}
`
}

test('the page says what the table says', () => {
  if (process.env.SLUICE_WRITE === '1') writeFileSync(PAGE, page())
  expect(readFileSync(PAGE, 'utf8')).toBe(page())
})

test('only columns are named', () => {
  for (const { fields } of Object.values(EVENT_KINDS))
    for (const name of Object.keys(fields)) expect(COLUMN_NAMES).toContain(name)
})
