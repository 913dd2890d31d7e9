/**
 * Pure. ALTER TABLE and its kin (VIEW, INDEX, SEQUENCE, MATERIALIZED VIEW, FOREIGN TABLE, TYPE), by sub-command.
 * https://www.postgresql.org/docs/current/sql-altertable.html
 */
import { madeOf } from './drop-cascade.ts'
import type { Gathered } from './gathered.ts'
import { dotted, isPart, type Part } from './nodes.ts'
import { objectWords } from './object-kinds.ts'
import type { Node } from './parse.ts'
import { alters, names, type Place, placeOf, tableScope } from './relations.ts'
import { typeOf } from './resolve.ts'
import type { Scope } from './scope.ts'
import { columnDefinitions, SERIAL } from './table-elements.ts'

/** Sub-commands that fill, recompute or drop stored values; an identity may restart its sequence. */
const CHANGES_VALUES = new Set([
  'AT_AlterColumnType',
  'AT_DropColumn',
  'AT_SetExpression',
  'AT_DropExpression',
  'AT_SetIdentity',
])

/** Sub-commands that drop something by name. */
const DROPS = new Set(['AT_DropColumn', 'AT_DropConstraint'])

/** Triggers, rules and row policies are code: switching them changes what runs. */
const SWITCHES_CODE = /^AT_(Enable|Disable)(Always|Replica)?(Trig|Rule)|RowSecurity$/

/** Sub-commands that only say how things are stored or what holds; all others of this list are schema. */
const SCHEMA_ONLY = new Set(
  `AT_AddColumn AT_AddColumnToView AT_ColumnDefault AT_DropNotNull AT_SetNotNull AT_SetExpression
  AT_DropExpression AT_SetStatistics AT_SetOptions AT_ResetOptions AT_SetStorage AT_SetCompression
  AT_DropColumn AT_AddIndex AT_AddConstraint AT_AlterConstraint AT_ValidateConstraint
  AT_AddIndexConstraint AT_DropConstraint AT_AlterColumnType AT_ClusterOn AT_DropCluster
  AT_SetLogged AT_SetUnLogged AT_SetAccessMethod AT_SetTableSpace AT_SetRelOptions
  AT_ResetRelOptions AT_ReplaceRelOptions AT_AddInherit AT_DropInherit AT_AddOf AT_DropOf
  AT_ReplicaIdentity AT_AttachPartition AT_DetachPartition AT_DetachPartitionFinalize
  AT_AddIdentity AT_SetIdentity AT_DropIdentity`.split(/\s+/),
)

/** `inside`: that of an AlterTableStmt. */
export function alterTable(g: Gathered, inside: Part): void {
  const relation = isPart(inside.relation) ? inside.relation : {}
  const place = placeOf(g, relation)
  const tag = `ALTER ${objectWords(String(inside.objtype))}`
  names(g, place)
  alters(g, place)
  if (place.relation?.kind === 'c') madeOf(g, place.relation)
  g.tag(tag)
  if (place.temporary) g.give('write', `${tag} of a temporary object`)
  else g.give('schema', `${tag} changes the schema`)
  if (inside.objtype === 'OBJECT_FOREIGN_TABLE')
    g.give('admin', 'foreign tables reach other servers')
  g.changesNames({ shared: !place.temporary })
  const scope = tableScope(place)
  for (const one of Array.isArray(inside.cmds) ? inside.cmds : [])
    if (isPart(one) && isPart(one.AlterTableCmd))
      subCommand(g, scope, { place, cmd: one.AlterTableCmd })
    else g.notUnderstood('A sub-command of ALTER could not be read.')
}

function subCommand(g: Gathered, scope: Scope, one: { place: Place; cmd: Part }): void {
  const { place, cmd } = one
  const kind = String(cmd.subtype)
  if (DROPS.has(kind)) g.tag(`DROP ${kind === 'AT_DropColumn' ? 'COLUMN' : 'CONSTRAINT'}`)
  if (SWITCHES_CODE.test(kind)) g.plants('triggers, rules and row policies are code')
  else if (kind === 'AT_ChangeOwner') g.give('admin', 'a new owner has new rights')
  else if (!SCHEMA_ONLY.has(kind)) g.give('admin', `${kind} is not known to be harmless`)
  if (typeof cmd.name === 'string' && /Column|NotNull|Expression|Identity|Stor|Stat/.test(kind))
    g.columns.add(`${place.name}.${cmd.name}`)
  if (CHANGES_VALUES.has(kind) && !place.temporary) g.change({ bounded: false })
  // A default may be computed anew for every row: whether it is volatile is not looked into.
  if (kind === 'AT_AddColumn' && hasDefault(g, cmd.def) && !place.temporary)
    g.change({ bounded: false })
  columnDefinitions(g, scope, cmd.def)
}

/** A default that is no constant, a generated column, an identity, or a type that brings a default along. */
function hasDefault(g: Gathered, def: unknown): boolean {
  const column = isPart(def) && isPart(def.ColumnDef) ? def.ColumnDef : {}
  if (bringsDefault(g, column.typeName)) return true
  const constraints = Array.isArray(column.constraints) ? column.constraints : []
  return constraints.some((one: unknown) => {
    const inside = isPart(one) && isPart(one.Constraint) ? one.Constraint : {}
    if (inside.contype === 'CONSTR_GENERATED' || inside.contype === 'CONSTR_IDENTITY') return true
    if (inside.contype !== 'CONSTR_DEFAULT') return false
    return !(isPart(inside.raw_expr) && inside.raw_expr.A_Const !== undefined)
  })
}

/** serial and its kin take from a sequence; a domain may have a default. */
function bringsDefault(g: Gathered, typeName: unknown): boolean {
  const parts = isPart(typeName) ? dotted(typeName.names as Node[] | undefined) : undefined
  const name = parts?.at(-1)
  if (parts === undefined || name === undefined) return false
  if (parts.length === 1 && SERIAL.has(name)) return true
  const type = typeOf(g.trust.names, parts.at(-2), name)
  return typeof type === 'object' && type.kind === 'd'
}
