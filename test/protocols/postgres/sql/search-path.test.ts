import { expect, test } from 'vitest'
import { searchPathOf } from '../../../../src/protocols/postgres/sql/search-path.ts'

const USABLE = ['pg_catalog', 'public', 'ada', 'Odd, "one"', 'app']

test.each([
  ['pg_temp', ['pg_catalog', 'pg_temp']],
  ['pg_temp, public', ['pg_catalog', 'pg_temp', 'public']],
  ['"$user", PUBLIC ,PG_TEMP', ['pg_catalog', 'ada', 'public', 'pg_temp']],
  ['public, pg_catalog, pg_temp', ['public', 'pg_catalog', 'pg_temp']],
  ['app, nowhere, app, "PUBLIC"', ['pg_catalog', 'app']],
  ['"Odd, ""one""", pg_temp', ['pg_catalog', 'Odd, "one"', 'pg_temp']],
  ['', ['pg_catalog']],
  ['""', ['pg_catalog']],
])('%s', (setting, path) => {
  expect(searchPathOf(setting, 'ada', USABLE)).toEqual(path)
})

test.each(['public,', ',public', 'a b', '"open', `"${'x'.repeat(64)}"`, 'pub"lic"'])(
  'what PostgreSQL might read otherwise is not read: %s',
  (setting) => {
    expect(searchPathOf(setting, 'ada', USABLE)).toBeUndefined()
  },
)
