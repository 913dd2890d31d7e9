import { beforeAll, expect, test } from 'vitest'
import { sameValues } from '../../src/policy/same-values.ts'
import { readSchema } from '../../src/policy/schema-catalogue.ts'
import { loadParser } from '../../src/protocols/postgres/sql/parse.ts'
import { policies } from './fixtures.ts'

const SCHEMA = `
CREATE TABLE people (mail text PRIMARY KEY, tax text UNIQUE);
CREATE TABLE visits (id int PRIMARY KEY, mail text REFERENCES people, tax text, note text);
ALTER TABLE visits ADD CONSTRAINT t FOREIGN KEY (tax) REFERENCES people (tax);
`

let links: ReturnType<typeof readSchema>['links']
beforeAll(async () => {
  await loadParser()
  const read = readSchema(SCHEMA)
  expect(read.problems).toEqual([])
  links = read.links
})

function warnings(...masks: readonly string[]): string[] {
  const head = 'apiVersion: sluice/v1\nkind: Policy\n'
  const set = policies(
    ...masks.map(
      (mask, at) =>
        `${head}name: p${at}\nmasks:\n  - ${mask}\napplies: { roles: [${at === 0 ? 'agents' : "'*'"}] }`,
    ),
  )
  return sameValues(set.policies, links).map(
    ({ file, path, message }) => `${file} ${path} ${message}`,
  )
}

test('foreign keys tie columns, in whichever form they are written', () => {
  expect(links).toEqual([
    ['public.visits.mail', 'public.people.mail'],
    ['public.visits.tax', 'public.people.tax'],
  ])
})

test('a column with the values of a masked one is warned about, on either side', () => {
  expect(warnings('{ columns: [public.people.mail], with: redact }')).toEqual([
    '/p0.yaml masks public.visits.mail holds the same values as public.people.mail by a foreign key, and has no mask',
  ])
  expect(warnings('{ columns: [public.visits.tax], with: hash }')).toEqual([
    '/p0.yaml masks public.people.tax holds the same values as public.visits.tax by a foreign key, and has no mask',
  ])
})

test('not where both are masked alike, by this policy or one that holds wherever it does', () => {
  expect(warnings('{ columns: ["*.*.mail"], with: redact }')).toEqual([])
  const one = '{ columns: [public.people.mail], with: redact }'
  expect(warnings(one, '{ columns: [public.visits.mail], with: redact }')).toEqual([
    '/p1.yaml masks public.people.mail holds the same values as public.visits.mail by a foreign key, and has no mask',
  ])
  expect(warnings(one, '{ columns: [public.visits.mail], with: hash }')[0]).toContain(
    'masked otherwise (hash, not redact)',
  )
})
