/**
 * Pure. Statements that administer: roles, databases, servers, extensions, maintenance. Each has the class `admin`
 * whatever it says, so only the tag and what it names are read.
 */
import { expression } from './expressions.ts'
import { splitName } from './functions.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import type { Node } from './parse.ts'
import { names, placeOf } from './relations.ts'
import { functionMeaning } from './resolve.ts'
import { nested } from './scope.ts'

/** Tags by kind of statement. A kind that stands nowhere is admin as well, under its own name. */
const TAGS: Readonly<Record<string, string>> = {
  AlterDatabaseRefreshCollStmt: 'ALTER DATABASE',
  AlterDatabaseSetStmt: 'ALTER DATABASE',
  AlterDatabaseStmt: 'ALTER DATABASE',
  AlterDefaultPrivilegesStmt: 'ALTER DEFAULT PRIVILEGES',
  AlterEventTrigStmt: 'ALTER EVENT TRIGGER',
  AlterExtensionContentsStmt: 'ALTER EXTENSION',
  AlterExtensionStmt: 'ALTER EXTENSION',
  AlterFdwStmt: 'ALTER FOREIGN DATA WRAPPER',
  AlterForeignServerStmt: 'ALTER SERVER',
  AlterPublicationStmt: 'ALTER PUBLICATION',
  AlterRoleSetStmt: 'ALTER ROLE',
  AlterRoleStmt: 'ALTER ROLE',
  AlterSubscriptionStmt: 'ALTER SUBSCRIPTION',
  AlterSystemStmt: 'ALTER SYSTEM',
  AlterTableMoveAllStmt: 'ALTER TABLE',
  AlterTableSpaceOptionsStmt: 'ALTER TABLESPACE',
  AlterUserMappingStmt: 'ALTER USER MAPPING',
  CheckPointStmt: 'CHECKPOINT',
  CreateAmStmt: 'CREATE ACCESS METHOD',
  CreateEventTrigStmt: 'CREATE EVENT TRIGGER',
  CreateExtensionStmt: 'CREATE EXTENSION',
  CreateFdwStmt: 'CREATE FOREIGN DATA WRAPPER',
  CreateForeignServerStmt: 'CREATE SERVER',
  CreateForeignTableStmt: 'CREATE FOREIGN TABLE',
  CreatePLangStmt: 'CREATE LANGUAGE',
  CreatePublicationStmt: 'CREATE PUBLICATION',
  CreateRoleStmt: 'CREATE ROLE',
  CreateSubscriptionStmt: 'CREATE SUBSCRIPTION',
  CreateTableSpaceStmt: 'CREATE TABLESPACE',
  CreateUserMappingStmt: 'CREATE USER MAPPING',
  CreatedbStmt: 'CREATE DATABASE',
  DropOwnedStmt: 'DROP OWNED',
  DropRoleStmt: 'DROP ROLE',
  DropSubscriptionStmt: 'DROP SUBSCRIPTION',
  DropTableSpaceStmt: 'DROP TABLESPACE',
  DropUserMappingStmt: 'DROP USER MAPPING',
  DropdbStmt: 'DROP DATABASE',
  GrantRoleStmt: 'GRANT ROLE',
  GrantStmt: 'GRANT',
  ImportForeignSchemaStmt: 'IMPORT FOREIGN SCHEMA',
  LoadStmt: 'LOAD',
  ReassignOwnedStmt: 'REASSIGN OWNED',
  SecLabelStmt: 'SECURITY LABEL',
  VacuumStmt: 'VACUUM',
}

/** Drop whole databases or whatever a role owns. */
const DROPS_VALUES = new Set(['DropOwnedStmt', 'DropdbStmt', 'AlterExtensionStmt'])

/** Kinds after which the same names may mean something else. */
const CHANGES_OBJECTS = /Extension|Foreign|Owned|EventTrig|PLang|MoveAll/

export function administer(g: Gathered, one: { kind: string; inside: Part }): void {
  const { kind, inside } = one
  const tag = tagOf(kind, inside)
  g.tag(tag)
  g.run('admin', `${tag} is administration`)
  // Some kinds nest what can be run or set in ways that are not read here.
  if (kind === 'CreateEventTrigStmt' || kind === 'CreatePLangStmt') g.plants(`${tag} plants code`)
  if (DROPS_VALUES.has(kind)) g.change({ bounded: false })
  if (CHANGES_OBJECTS.test(kind) || TAGS[kind] === undefined) g.changesNames({ shared: true })
  if (kind === 'VacuumStmt') vacuumed(g, inside)
  if (kind === 'GrantStmt') granted(g, inside)
  if (kind === 'CreateForeignTableStmt') {
    g.run('schema', 'CREATE FOREIGN TABLE changes the schema')
    const base = isPart(inside.base) ? inside.base : {}
    if (isPart(base.relation)) names(g, placeOf(g, base.relation))
  }
}

function tagOf(kind: string, inside: Part): string {
  if (kind === 'GrantStmt') return inside.is_grant === true ? 'GRANT' : 'REVOKE'
  if (kind === 'GrantRoleStmt') return inside.is_grant === true ? 'GRANT ROLE' : 'REVOKE ROLE'
  if (kind === 'VacuumStmt') return inside.is_vacuumcmd === true ? 'VACUUM' : 'ANALYZE'
  return TAGS[kind] ?? kind.replace(/Stmt$/, '').toUpperCase()
}

function vacuumed(g: Gathered, inside: Part): void {
  for (const one of Array.isArray(inside.rels) ? inside.rels : [])
    if (isPart(one) && isPart(one.VacuumRelation) && isPart(one.VacuumRelation.relation))
      names(g, placeOf(g, one.VacuumRelation.relation))
}

function granted(g: Gathered, inside: Part): void {
  for (const one of Array.isArray(inside.objects) ? inside.objects : [])
    if (isPart(one) && isPart(one.RangeVar)) names(g, placeOf(g, one.RangeVar))
}

/** DO and CALL: code that the gateway cannot see into. */
export function runsCode(g: Gathered, one: { kind: string; inside: Part }): void {
  const tag = one.kind === 'DoStmt' ? 'DO' : 'CALL'
  g.tag(tag)
  g.give('execute', `${tag} runs code that the gateway cannot see into`)
  g.returnsRows = tag === 'CALL'
  const call = isPart(one.inside.funccall) ? one.inside.funccall : undefined
  if (call === undefined) return
  const { schema, name } = splitName(dotted(call.funcname as Node[] | undefined) ?? [])
  g.functions.add(functionMeaning(g.trust, schema, name).name)
  expression(g, nested(undefined), call.args)
}
