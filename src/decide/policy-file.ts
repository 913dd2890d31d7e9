/**
 * Pure. One policy file: its text becomes a policy whose rules are compiled and type-checked, or every problem at
 * once, each with line and column. What goes together across files stands in policy.ts.
 */
import {
  check,
  checked,
  choice,
  type Field,
  list,
  oneOf,
  parsed,
  section,
  text,
  type Value,
} from '../config/fields.ts'
import { inFileOrder, NOT_YET, type Problem } from '../config/problem.ts'
import { parseName } from '../config/units.ts'
import { readYaml, type YamlFile } from '../config/yaml.ts'
import type { MaskDeclarations } from '../mask/transform-spec.ts'
import { scopeFault } from './member.ts'
import { type KnownNames, maskDeclarations, maskForm } from './policy-masks.ts'
import { compileRule, type Rule } from './rule.ts'

export interface Policy {
  readonly file: string
  readonly name: string
  /** True: records what it would have done and does nothing. */
  readonly monitor: boolean
  /** Names, `label:key=value` or `*`. */
  readonly connections: readonly string[]
  /** Names of roles, or `*`. */
  readonly roles: readonly string[]
  readonly rules: readonly PolicyRule[]
  readonly masks: MaskDeclarations
  readonly tests: readonly PolicyTest[]
}

export interface PolicyRule {
  /** `policy/rule`. */
  readonly name: string
  readonly then: 'allow' | 'deny'
  readonly monitor: boolean
  /** The rule's own sentence; '' when it has none. */
  readonly message: string
  readonly rule: Rule
}

export interface PolicyTest {
  readonly as: { readonly subject: string; readonly roles: readonly string[] }
  readonly connection: string
  readonly statement: string
  readonly expect: 'allow' | 'deny'
  /** Id of the rule that is expected to say so; '' for whichever. */
  readonly rule: string
}

export interface PolicyReading {
  /** undefined: there are problems. */
  readonly policy: Policy | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

const MESSAGE_LENGTH_MAX = 500
const WHEN_LENGTH_MAX = 20_000

const name = parsed('letters, digits, _ . - (at most 63)', parseName)

const ruleForm = section(
  {
    id: name,
    when: parsed('an expression of CEL in quotes', (when) =>
      when.length <= WHEN_LENGTH_MAX && when.trim() !== '' ? when : undefined,
    ),
    then: choice((value) =>
      value === 'approve' ? `approve ${NOT_YET}` : oneOf(['allow', 'deny']),
    ),
    message: parsed(`a sentence of at most ${MESSAGE_LENGTH_MAX} characters`, (message) =>
      message.length <= MESSAGE_LENGTH_MAX && !/[\0-\x1f]/.test(message.trim())
        ? message.trim()
        : undefined,
    ).optional(),
  },
  ['approval'],
)

const testForm = section(
  {
    as: section({ subject: text(), roles: list(name, { min: 1 }) }),
    connection: name,
    statement: text(),
    expect: choice((value) =>
      value === 'approve' ? `approve ${NOT_YET}` : oneOf(['allow', 'deny']),
    ),
    rule: name.optional(),
  },
  ['masks'],
)

const SCOPE_HINT = 'leave it out to speak of all'
const scopes = (fault: (value: string) => string | undefined): Field<string[]> =>
  checked(list(checked(text(), fault)), (items) =>
    items.length === 0 ? `expected at least one; ${SCOPE_HINT}` : undefined,
  )

function form(knownDetectors: KnownNames) {
  return section(
    {
      apiVersion: oneOf(['sluice/v1']),
      kind: oneOf(['Policy']),
      name,
      mode: oneOf(['enforce', 'monitor']).optional(),
      applies: section({
        connections: scopes(scopeFault).optional(),
        roles: scopes((role) =>
          role === '*' || parseName(role) !== undefined ? undefined : 'expected a role or *',
        ).optional(),
      }).optional(),
      rules: list(ruleForm).optional(),
      masks: list(maskForm(knownDetectors)).optional(),
      tests: list(testForm).optional(),
    },
    ['limits'],
  )
}

type Form = Value<ReturnType<typeof form>>

/** Total. `file` only names the file in problems. */
export function readPolicy(
  source: { path: string; text: string },
  knownDetectors: KnownNames,
): PolicyReading {
  const yaml = readYaml(source.path, source.text)
  if (!yaml.isReadable) return { policy: undefined, problems: yaml.problems, warnings: [] }
  const result = check<Form>(form(knownDetectors), yaml.value ?? null)
  const issues = 'issues' in result ? result.issues : []
  const problems = [
    ...yaml.problems,
    ...issues.map((issue) => yaml.problem(issue.path, issue.message, issue.at)),
  ]
  // Rules are compiled even where the form has problems, so that those of both come at once.
  const compiled = compileRules(yaml)
  problems.push(...compiled.problems, ...repeatedIds(yaml))
  const warnings = [...compiled.warnings, ...pseudonyms(yaml)]
  if ('issues' in result || problems.length > 0)
    return { policy: undefined, problems: problems.sort(inFileOrder), warnings }
  return {
    policy: build(result.value, { file: source.path, rules: compiled.rules }),
    problems,
    warnings,
  }
}

interface CompiledRules {
  /** By index in the file. */
  readonly rules: ReadonlyMap<number, Rule>
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

function compileRules(yaml: YamlFile): CompiledRules {
  const rules = new Map<number, Rule>()
  const problems: Problem[] = []
  const warnings: Problem[] = []
  for (const [index, one] of raw(yaml, 'rules').entries()) {
    const when = one.when
    if (typeof when !== 'string' || when.trim() === '' || when.length > WHEN_LENGTH_MAX) continue
    const path = ['rules', index, 'when']
    const { rule, problem, warnings: notes } = compileRule(when)
    if (rule !== undefined) rules.set(index, rule)
    if (problem !== undefined)
      problems.push(yaml.problemInText(path, problem.message, problem.offset))
    for (const note of notes) warnings.push(yaml.problemInText(path, note.message, note.offset))
  }
  return { rules, problems, warnings }
}

function repeatedIds(yaml: YamlFile): Problem[] {
  const seen = new Set<unknown>()
  return raw(yaml, 'rules').flatMap(({ id }, index) => {
    const isRepeated = typeof id === 'string' && seen.has(id)
    seen.add(id)
    return isRepeated ? [yaml.problem(['rules', index, 'id'], 'this id stands here twice')] : []
  })
}

/** Pseudonyms are redacted until they exist: nothing leaks, but joins that count on them find nothing. */
function pseudonyms(yaml: YamlFile): Problem[] {
  return raw(yaml, 'masks').flatMap((mask, index) =>
    mask.with === 'pseudonym'
      ? [yaml.problem(['masks', index, 'with'], `pseudonym ${NOT_YET}; values are redacted`)]
      : [],
  )
}

/** The mappings of a list as they stand in the file, unchecked; what is none is an empty one. */
function raw(yaml: YamlFile, key: 'rules' | 'masks'): readonly Record<string, unknown>[] {
  const file = yaml.value
  const items = typeof file === 'object' && file !== null && key in file ? Object(file)[key] : []
  if (!Array.isArray(items)) return []
  return items.map((one: unknown) => (typeof one === 'object' && one !== null ? Object(one) : {}))
}

function build(form: Form, from: { file: string; rules: ReadonlyMap<number, Rule> }): Policy {
  const monitor = form.mode === 'monitor'
  return {
    file: from.file,
    name: form.name,
    monitor,
    connections: form.applies?.connections ?? ['*'],
    roles: form.applies?.roles ?? ['*'],
    rules: (form.rules ?? []).map((one, index) => ({
      name: `${form.name}/${one.id}`,
      then: one.then,
      monitor,
      message: one.message ?? '',
      rule: from.rules.get(index)!,
    })),
    masks: maskDeclarations(form.masks ?? [], { name: form.name, monitor }),
    tests: (form.tests ?? []).map((test) => ({ ...test, rule: test.rule ?? '' })),
  }
}
