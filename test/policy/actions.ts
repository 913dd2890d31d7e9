/** Pure once the parser is loaded. What the gateway would have recorded of a statement, for backtests. */
import type { RecordedGroup } from '../../src/policy/recorded.ts'
import type { Asked, Tried } from '../../src/policy/trial.ts'
import { asked, type Setting, tried } from './fixtures.ts'

export function recorded(
  of: Setting,
  statement: string,
  more: Partial<Asked> = {},
  count = 1,
): RecordedGroup {
  const { job } = asked(statement, more)
  return { ...recordedOf(tried(of, statement, more), statement), job, count }
}

export function recordedOf(
  { statements, verdict, grant, guard }: Tried,
  statement: string,
): RecordedGroup {
  const { action, context } = statements[0]!
  const findings = guard?.readsFindings ? context.findings : undefined
  const { literals: _literals, params: _params, ...sql } = action.facts.sql!
  const opaque = action.opaque === undefined ? undefined : true
  return {
    count: 1,
    protocol: 'postgres',
    connection: grant!.connection.name,
    database: grant!.database,
    roles: grant!.roles,
    job: '',
    verb: action.verb,
    verdict: verdict.verdict === 'allow' ? 'allow' : verdict.kind,
    rule: verdict.verdict === 'allow' ? verdict.rule || verdict.wouldDeny : verdict.rule,
    facts: JSON.stringify({ classes: action.classes, opaque, findings, sql }),
    statement,
    actionId: `a-${statement.length}`,
    more: {
      subject: 'ci',
      kind_of_identity: 'workload',
      groups: [],
      objects: action.objects,
      client_ip: '10.0.0.1',
      ts_ms: 0,
    },
  }
}
