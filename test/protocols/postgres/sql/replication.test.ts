import fc from 'fast-check'
import { expect, test } from 'vitest'
import { replicationCommand } from '../../../../src/protocols/postgres/sql/replication.ts'

test('the first word tells a command from SQL, as the target tells them', () => {
  const verb = (text: string) => replicationCommand(text, 'database')?.statement.verb
  expect(verb('IDENTIFY_SYSTEM')).toBe('IDENTIFY_SYSTEM')
  expect(verb(' \t\nSTART_REPLICATION SLOT s LOGICAL 0/0;')).toBe('START_REPLICATION')
  for (const sql of ['identify_system', 'IDENTIFY_SYSTEMS', 'IDENTIFY_SYSTEMé', 'SELECT 1', ''])
    expect(verb(sql)).toBeUndefined()
  expect(verb('-- IDENTIFY_SYSTEM\nSELECT 1')).toBeUndefined()
})

test('SHOW is a command where there is no SQL', () => {
  expect(replicationCommand('SHOW wal_segment_size', 'database')).toBeUndefined()
  expect(replicationCommand('SHOW wal_segment_size', 'physical')?.statement.verb).toBe('SHOW')
})

test('an ordinary session has no commands', () => {
  expect(replicationCommand('IDENTIFY_SYSTEM', 'none')).toBeUndefined()
})

test('all are admin, and a backup to the server itself writes', () => {
  const statement = (text: string) => replicationCommand(text, 'physical')!.statement
  for (const text of ['IDENTIFY_SYSTEM', 'DROP_REPLICATION_SLOT s', 'TIMELINE_HISTORY 1'])
    expect(statement(text)).toMatchObject({ classes: ['admin'], facts: { writes: false } })
  const target = "BASE_BACKUP ( TARGET 'server', TARGET_DETAIL '/x' )"
  expect(statement(target).facts).toMatchObject({ writes: true, bounded: false })
  expect(statement("BASE_BACKUP ( LABEL 'x' )").facts).toMatchObject({ writes: false })
})

test('only what streams to the target takes data', () => {
  const takes = (text: string) => replicationCommand(text, 'physical')?.takesData
  expect(takes('START_REPLICATION 0/0')).toBe(true)
  expect(takes('UPLOAD_MANIFEST')).toBe(true)
  expect(takes('BASE_BACKUP')).toBe(false)
})

test('no text throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      replicationCommand(text, 'physical')
    }),
  )
})
