import { expect, test } from 'vitest'
import { formOf } from '../../src/replay/forms.ts'

test('a protocol has its formats, and one that is not known has what needs no response', () => {
  expect(formOf('postgres').formats).toEqual(['json', 'csv', 'asciicast', 'pcapng'])
  expect(formOf('other').formats).toEqual(['json', 'csv', 'asciicast'])
  expect(formOf('other').reader().push(Buffer.from('anything'))).toEqual([])
  expect(formOf('other').reader().end()).toEqual([])
})
