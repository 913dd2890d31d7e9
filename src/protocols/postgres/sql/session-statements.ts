/**
 * Pure. Statements about the session itself: transactions, parameters, prepared statements, cursors, channels.
 */
import { constantOf, optionText } from './constants.ts'
import { expression } from './expressions.ts'
import type { Gathered } from './gathered.ts'
import { isPart, type Part } from './nodes.ts'
import { names, placeOf } from './relations.ts'
import { nested } from './scope.ts'
import { setParameter } from './set-config.ts'

/** The handlers by kind of statement; each takes the inside of its node. */
export const SESSION: Readonly<Record<string, (g: Gathered, inside: Part) => void>> = {
  TransactionStmt: transaction,
  VariableSetStmt: variableSet,
  VariableShowStmt: (g) => {
    g.tag('SHOW')
    g.returnsRows = true
  },
  ExecuteStmt: (g, inside) => {
    g.tag('EXECUTE')
    g.returnsRows = true
    g.effect.runs = { kind: 'prepared', name: String(inside.name ?? '') }
    expression(g, nested(undefined), inside.params)
  },
  DeallocateStmt: (g, inside) => {
    g.tag(inside.name === undefined ? 'DEALLOCATE ALL' : 'DEALLOCATE')
    g.effect.closes = { kind: 'prepared', name: nameOf(inside.name) }
  },
  FetchStmt: (g, inside) => {
    g.tag(inside.ismove === true ? 'MOVE' : 'FETCH')
    g.returnsRows = inside.ismove !== true
    g.effect.runs = { kind: 'cursor', name: String(inside.portalname ?? '') }
  },
  ClosePortalStmt: (g, inside) => {
    g.tag(inside.portalname === undefined ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR')
    g.effect.closes = { kind: 'cursor', name: nameOf(inside.portalname) }
  },
  ConstraintsSetStmt: (g) => g.tag('SET CONSTRAINTS'),
  ListenStmt: (g) => g.tag('LISTEN'),
  UnlistenStmt: (g) => g.tag('UNLISTEN'),
  NotifyStmt: (g, inside) => {
    g.tag('NOTIFY')
    g.give('write', 'NOTIFY is a write')
    if (typeof inside.payload === 'string') g.literals.add(inside.payload)
  },
  DiscardStmt: discard,
  LockStmt: lock,
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

type TransactionEffect = NonNullable<Gathered['effect']['transaction']>

const TRANSACTIONS: Readonly<Record<string, { tag: string; effect?: TransactionEffect }>> = {
  TRANS_STMT_BEGIN: { tag: 'BEGIN', effect: 'begin' },
  TRANS_STMT_START: { tag: 'START TRANSACTION', effect: 'begin' },
  TRANS_STMT_COMMIT: { tag: 'COMMIT', effect: 'commit' },
  TRANS_STMT_ROLLBACK: { tag: 'ROLLBACK', effect: 'rollback' },
  TRANS_STMT_SAVEPOINT: { tag: 'SAVEPOINT', effect: 'savepoint' },
  TRANS_STMT_RELEASE: { tag: 'RELEASE' },
  TRANS_STMT_ROLLBACK_TO: { tag: 'ROLLBACK', effect: 'rollback-to' },
}

function transaction(g: Gathered, inside: Part): void {
  const kind = String(inside.kind)
  const known = TRANSACTIONS[kind]
  if (known === undefined) {
    const tag = kind.replace(/^TRANS_STMT_/, '').replaceAll('_', ' ')
    g.tag(tag === 'PREPARE' ? 'PREPARE TRANSACTION' : tag)
    g.run('admin', 'two-phase commit is administration')
    if (tag === 'PREPARE') g.effect.transaction = 'prepare'
    g.changesNames({ shared: true })
    return
  }
  g.tag(known.tag)
  g.effect.transaction = known.effect
  if (known.effect === 'rollback' || known.effect === 'rollback-to') g.effect.dirties = true
}

/** SET and RESET in all forms; SET TRANSACTION is harmless in all of them (semantics §1). */
function variableSet(g: Gathered, inside: Part): void {
  const kind = String(inside.kind)
  const name = String(inside.name ?? '')
  const args = Array.isArray(inside.args) ? inside.args : []
  const local = inside.is_local === true
  const resets = kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL'
  g.tag(resets ? 'RESET' : 'SET')
  if (kind === 'VAR_RESET_ALL') g.effect.dirties = true
  else if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT')
    setParameter(g, { name, value: undefined, local })
  else if (kind === 'VAR_SET_MULTI') setMulti(g, name)
  else if (kind === 'VAR_SET_VALUE') {
    const values = args.map((one: unknown) => constantOf(one))
    for (const one of values) if (typeof one === 'string') g.literals.add(one)
    const known = values.length > 0 && values.every((one) => typeof one === 'string')
    setParameter(g, { name, value: known ? values.join(', ') : null, local })
  } else if (kind === 'VAR_SET_CURRENT') setParameter(g, { name, value: null, local })
  else g.run('admin', `${kind} is a form of SET that the gateway does not know`)
}

function setMulti(g: Gathered, name: string): void {
  if (name === 'TRANSACTION' || name === 'SESSION CHARACTERISTICS') return
  // SET TRANSACTION SNAPSHOT, which pg_dump sends with several jobs, shows another session's committed state.
  if (name === 'TRANSACTION SNAPSHOT') return
  g.run('admin', `SET ${name} is not known to be harmless`)
}

function discard(g: Gathered, inside: Part): void {
  const target = String(inside.target ?? '').replace(/^DISCARD_/, '')
  g.tag(`DISCARD ${target}`)
  if (target === 'ALL') g.effect.discardsAll = true
  if (target === 'ALL' || target === 'TEMP') g.effect.dirties = true
}

/** lockmode of LOCK without a mode is the strongest; 1 is ACCESS SHARE, which every SELECT takes. */
function lock(g: Gathered, inside: Part): void {
  g.tag('LOCK TABLE')
  for (const one of Array.isArray(inside.relations) ? inside.relations : [])
    if (isPart(one) && isPart(one.RangeVar)) names(g, placeOf(g, one.RangeVar))
    else g.notUnderstood('A locked table could not be read.')
  if (inside.mode !== 1) g.give('write', 'LOCK beyond ACCESS SHARE is a write')
}

/** True for an EXPLAIN that runs its statement. */
export function explainRuns(inside: Part): boolean {
  const options = Array.isArray(inside.options) ? inside.options : []
  return options.some((one: unknown) => {
    const option = isPart(one) && isPart(one.DefElem) ? one.DefElem : undefined
    if (option?.defname !== 'analyze') return false
    const value = optionText(option.arg)?.toLowerCase()
    return !(value === 'false' || value === 'off' || value === '0')
  })
}
