/** What masks say of names in FROM, of predicates that are allowed, of code, and of masks that hide more or refuse nothing. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { ActionClass } from '../../../../src/decide/action.ts'
import { loadParser } from '../../../../src/protocols/postgres/sql/parse.ts'
import { findMasked as find, MASKED, masks } from './sample.ts'

beforeAll(loadParser)

describe('a name in a part of FROM never hides one that the target would mean', () => {
  test.each([
    'SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM orders a JOIN pairs b ON (ssn = $1), contacts x)',
    'SELECT 1 FROM customers WHERE EXISTS (SELECT 1 FROM contacts, (SELECT email AS y) s WHERE s.y = $1)',
    'SELECT 1 FROM customers c WHERE EXISTS (SELECT 1 FROM contacts c2, (SELECT c.email AS y) s WHERE s.y = $1)',
  ])('%s', (text) => {
    expect(find(text).refusal).toBeDefined()
  })
})

describe('in_predicates: allow', () => {
  const allowed = masks([{ relation: 20001, column: 3, mask: { inPredicates: 'allow' } }])
  test.each([
    "SELECT id, email FROM customers WHERE lower(email) = 'x' ORDER BY email",
    'SELECT DISTINCT email FROM customers',
    'SELECT email, count(*) FROM customers GROUP BY email HAVING email > $1',
    'INSERT INTO customers (email) VALUES ($1) ON CONFLICT (email) DO NOTHING',
  ])('lets %s pass', (text) => {
    expect(find(text, allowed)).toMatchObject({ touches: true, refusal: undefined })
  })

  test.each([
    'SELECT ascii(email) FROM customers',
    "SELECT id FROM customers WHERE set_config('a.b', email, false) = 'x'",
    'SELECT id FROM customers WHERE pg_advisory_lock(ascii(email)) IS NULL',
    'SELECT $1 IN (SELECT email FROM customers)',
  ])('still refuses %s', (text) => {
    expect(find(text, allowed).refusal).toBeDefined()
  })
})

describe('masks bind code', () => {
  test.each([
    ['SELECT f(1)', ['read', 'execute']],
    ['DO $$ BEGIN END $$', ['execute']],
    ["COPY orders TO '/tmp/x'", ['read', 'admin']],
    ["COPY orders FROM PROGRAM 'ls'", ['write', 'admin']],
    ["SELECT pg_read_file('x')", ['read', 'admin']],
    ["SELECT pg_terminate_backend(1), pg_newly_invented('x')", ['read', 'admin']],
    ['SELECT * FROM pg_stat_get_activity(NULL)', ['read']],
    ['SELECT pg_stat_get_xact_tuples_hot_updated(1)', ['read']],
    ["SELECT mode FROM pg_get_multixact_members('1')", ['read']],
    ['SELECT pg_current_wal_insert_lsn()', ['read']],
    ["SELECT param14 FROM pg_stat_get_progress_info('COPY')", ['read']],
    ["SELECT pg_tablespace_size('pg_default')", ['read']],
    ['SELECT wal_bytes FROM pg_stat_get_wal()', ['read']],
    ['SELECT write_bytes FROM pg_stat_get_io()', ['read']],
    ['SELECT last_archived_wal FROM pg_stat_get_archiver()', ['read']],
    ['SELECT pg_stat_get_checkpointer_num_requested()', ['read']],
    ['SELECT pg_stat_get_bgwriter_requested_checkpoints()', ['read']],
    ['SELECT local_lsn FROM pg_show_replication_origin_status()', ['read']],
    ["SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL)", ['admin']],
    ['CREATE PUBLICATION p FOR ALL TABLES', ['admin']],
    ["ALTER SYSTEM SET archive_command = 'x'", ['admin']],
    ['CREATE DATABASE d TEMPLATE shop', ['admin']],
    ['CREATE EXTENSION dblink', ['admin']],
    ["SET client_encoding = 'LATIN1'", ['admin']],
    ["SET LOCAL NAMES 'LATIN1'", ['admin']],
  ] as [string, ActionClass[]][])('%s is refused', (text, classes) => {
    expect(find(text, MASKED, classes).refusal).toBeDefined()
  })

  test.each([
    'GRANT SELECT ON orders TO bob',
    'VACUUM customers',
    'SET ROLE bob',
    'SELECT pg_terminate_backend(1)',
    'CREATE ROLE bob',
  ])('%s is administration that moves no value', (text) => {
    expect(find(text, MASKED, ['admin']).refusal).toBeUndefined()
  })

  test('without a mask nothing is found', () => {
    expect(find('SELECT f(email) FROM customers', 'none', ['execute']).refusal).toBeUndefined()
  })
})

describe('other masks', () => {
  test('what only watches refuses nothing', () => {
    const watching = masks([{ relation: 20001, column: 3, mask: { monitor: true } }])
    const finding = find('SELECT ascii(email), f(1) FROM customers', watching, ['execute'])
    expect(finding).toMatchObject({ touches: true, refusal: undefined, rules: ['test/0'] })
    expect(finding.outputs).toMatchObject([{ monitor: true }, null])
    expect(find('SELECT * FROM customer_mails', watching).refusal).toBeUndefined()
  })

  test('with null, whether a value is there is hidden too', () => {
    const nulled = masks([{ relation: 20001, column: 3, mask: { transform: { type: 'null' } } }])
    expect(find('SELECT id FROM customers WHERE email IS NULL', nulled).refusal).toBeDefined()
  })

  const nulled = masks([{ relation: 20001, column: 3, mask: { transform: { type: 'null' } } }])
  const beside = `customers c, (SELECT '' COLLATE "C" AS a) x, (SELECT id AS b FROM orders) y`

  test.each([
    `SELECT c.email || b = c.email FROM ${beside}`,
    'SELECT upper(s.a || s.b) FROM (SELECT email COLLATE "C" AS a, email COLLATE "POSIX" AS b FROM customers) s',
    'SELECT coalesce(email, (SELECT name FROM customers)) FROM customers',
    "SELECT coalesce(email, 'x'::text::date::text) FROM customers",
    'SELECT coalesce(s.email, s.b) FROM (SELECT email, (SELECT name FROM customers) AS b FROM customers) s',
  ])('what fails only where there is a value, or none, tells what null hides: %s', (text) => {
    expect(find(text, nulled).refusal).toBeDefined()
    expect(find(text).refusal).toBeUndefined()
  })

  test('a constant with a collation of its own is put to nothing masked', () => {
    expect(find(`SELECT upper(c.email || a) FROM ${beside}`, nulled).refusal).toBeDefined()
    expect(find(`SELECT min(c.email || b) FROM ${beside}`, nulled).refusal).toBeDefined()
    expect(find(`SELECT lower(c.email || b) FROM ${beside}`, nulled).refusal).toBeDefined()
  })

  test.each([
    "SELECT upper(email), min(email), email || 'x', email = 'x' FROM customers",
    "SELECT coalesce(email, 'none'), coalesce(name, email) FROM customers",
    'SELECT concat(name, email), max(name) FROM customers',
  ])('with null, %s passes', (text) => {
    expect(find(text, nulled).refusal).toBeUndefined()
  })

  test('a refusal names the column', () => {
    const reason = find('SELECT ascii(c.ssn) FROM customers c').refusal?.reason
    expect(reason).toContain('public.customers.ssn')
  })
})
