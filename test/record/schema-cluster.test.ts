import { describe, expect, test } from 'vitest'
import { onCluster } from '../../src/record/schema-cluster.ts'

const CLUSTER = { name: 'main', database: 'sluice' }
const of = (statement: string) => onCluster(statement, CLUSTER)

describe('on a cluster', () => {
  test('a table is a replicated one, and a distributed one in front of it', () => {
    const [local, front, ...others] = of(
      'CREATE TABLE IF NOT EXISTS `sluice`.events\n(\n    session_id String\n)\nENGINE = MergeTree\nORDER BY session_id\nSETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1',
    )
    expect(others).toEqual([])
    expect(local).toContain('`sluice`.events_local ON CLUSTER `main`')
    expect(local).toContain(
      "ReplicatedMergeTree('/clickhouse/tables/{shard}/sluice/events', '{replica}')",
    )
    expect(local).toContain(
      'replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = ',
    )
    expect(local).not.toContain('non_replicated')
    expect(front).toBe(
      'CREATE TABLE IF NOT EXISTS `sluice`.events ON CLUSTER `main` AS `sluice`.events_local\nENGINE = Distributed(`main`, `sluice`, events_local, sipHash64(session_id))',
    )
  })

  test('what replaces rows goes on doing so', () => {
    const [local] = of(
      'CREATE TABLE IF NOT EXISTS `sluice`.instances (a String) ENGINE = ReplacingMergeTree ORDER BY a',
    )
    expect(local).toContain(
      "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/sluice/instances', '{replica}')",
    )
    const [versioned] = of(
      'CREATE TABLE IF NOT EXISTS `sluice`.requests (a String) ENGINE = ReplacingMergeTree(v) ORDER BY a',
    )
    expect(versioned).toContain("'{replica}', v)")
  })

  test('columns are altered in both, and everything else where the rows are', () => {
    expect(
      of("ALTER TABLE `sluice`.chains ADD COLUMN IF NOT EXISTS kind String DEFAULT ''"),
    ).toEqual([
      "ALTER TABLE `sluice`.chains_local ON CLUSTER `main` ADD COLUMN IF NOT EXISTS kind String DEFAULT ''",
      "ALTER TABLE `sluice`.chains ON CLUSTER `main` ADD COLUMN IF NOT EXISTS kind String DEFAULT ''",
    ])
    expect(of('ALTER TABLE `sluice`.events DROP INDEX IF EXISTS by_job')).toEqual([
      'ALTER TABLE `sluice`.events_local ON CLUSTER `main` DROP INDEX IF EXISTS by_job',
    ])
  })

  test('how columns are packed is of where the rows are', () => {
    expect(
      of(
        'ALTER TABLE `sluice`.events\n    MODIFY COLUMN job CODEC(LZ4),\n    MODIFY COLUMN run CODEC(LZ4)',
      ),
    ).toEqual([
      'ALTER TABLE `sluice`.events_local ON CLUSTER `main`\n    MODIFY COLUMN job CODEC(LZ4),\n    MODIFY COLUMN run CODEC(LZ4)',
    ])
  })

  test('a view asks its sub-queries once', () => {
    expect(
      of('CREATE OR REPLACE VIEW `sluice`.v AS SELECT 1 WHERE a IN (SELECT b FROM `sluice`.c)'),
    ).toEqual([
      'CREATE OR REPLACE VIEW `sluice`.v ON CLUSTER `main` AS SELECT 1 WHERE a GLOBAL IN (SELECT b FROM `sluice`.c)',
    ])
  })

  test('a statement of a form that nobody has thought of is an error', () => {
    expect(() => of('OPTIMIZE TABLE `sluice`.events')).toThrow('no form for a cluster')
    expect(() => of('CREATE TABLE IF NOT EXISTS `sluice`.x (a String) ENGINE = Memory')).toThrow(
      'cannot be replicated',
    )
  })
})
