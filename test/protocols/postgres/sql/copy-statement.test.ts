import { beforeAll, expect, test } from 'vitest'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { classes, judge } from './catalogue-sample.ts'

beforeAll(loadParser)

test('the form says what the masker must know', () => {
  expect(
    judge("COPY users (email, id) TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER ';', NULL 'n')")
      .effect.copy,
  ).toEqual({
    direction: 'out',
    format: 'csv',
    delimiter: ';',
    quote: '"',
    escape: '"',
    nullText: 'n',
    header: true,
    utf8: true,
    table: true,
    columns: [
      { relation: 20001, column: 2 },
      { relation: 20001, column: 1 },
    ],
  })
  expect(judge('COPY users FROM STDIN').effect.copy).toMatchObject({
    direction: 'in',
    format: 'text',
    delimiter: '\t',
    nullText: '\\N',
    header: false,
  })
  expect(judge('COPY (SELECT 1) TO STDOUT (FORMAT binary)').effect.copy).toMatchObject({
    format: 'binary',
    columns: undefined,
  })
})

test.each([
  ['(FORMAT (csv), QUOTE *)', { format: 'csv', quote: '*', escape: '*' }],
  ["(FORMAT csv, DELIMITER ('|'), ESCAPE ('!'))", { delimiter: '|', quote: '"', escape: '!' }],
  ['(FORMAT csv, HEADER (off), NULL *)', { header: false, nullText: '*' }],
  ['(FORMAT csv, HEADER (true), NULL (a, b))', { header: true, nullText: 'a.b' }],
  ['(FORMAT (binary))', { format: 'binary' }],
])('options are read as the target reads them: %s', (said, form) => {
  expect(judge(`COPY users TO STDOUT ${said}`).effect.copy).toMatchObject(form)
})

test.each([
  ["COPY users TO STDOUT (ENCODING 'SJIS')", false],
  ["COPY users TO STDOUT ENCODING 'gb18030'", false],
  ["COPY users TO STDOUT (ENCODING 'utf-8')", true],
  ['COPY users TO STDOUT', true],
])('%s is read as UTF-8: %s', (text, utf8) => {
  expect(judge(text).effect.copy?.utf8).toBe(utf8)
})

test('files and programs have no form for the client', () => {
  expect(judge("COPY users TO '/x'")).toMatchObject({
    facts: { copy: 'file' },
    effect: { copy: undefined },
  })
  expect(judge("COPY users FROM PROGRAM 'x'")).toMatchObject({
    facts: { copy: 'program' },
    effect: { copy: undefined },
  })
})

test('all columns are named where none are', () => {
  expect(judge('COPY users TO STDOUT').facts.columns).toHaveLength(3)
  expect(judge('COPY nowhere TO STDOUT').facts.columns).toEqual(['public.nowhere.*'])
})

test('WHERE of COPY FROM is judged', () => {
  expect(classes('COPY users FROM STDIN WHERE evil()')).toBe('write execute')
})
