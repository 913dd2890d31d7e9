/**
 * Pure. One policy file (or one of tests, policy-tests.ts): its text becomes a policy whose rules are compiled and type-checked, or every problem at
 * once, each with line and column. What goes together across files stands in policy.ts.
 */
import {
  check,
  checked,
  choice,
  type Field,
  type JsonSchema,
  jsonSchema,
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
import type { Detector } from '../mask/detectors/detector.ts'
import type { MaskDeclarations } from '../mask/transform-spec.ts'
import { scopeFault } from './member.ts'
import { detectorsForm, ownDetectors, ownNames } from './policy-detectors.ts'
import { type KnownNames, maskDeclarations, maskForm } from './policy-masks.ts'
import {
  isSuite,
  type Place,
  placeOf,
  readSuite,
  SUITE_FIELDS,
  SUITE_FORM,
  suiteOf,
  type TestSuite,
} from './policy-tests.ts'
import { compileRule, type Rule } from './rule.ts'
import { deadWords, neverTrue } from './rule-truth.ts'

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
  /** Of its own, whether a mask uses them or not. */
  readonly detectors: readonly Detector[]
}

export interface PolicyRule {
  /** `policy/rule`. */
  readonly name: string
  readonly id: string
  /** The expression as it stands in the file. */
  readonly when: string
  readonly place: Place
  readonly then: 'allow' | 'deny'
  readonly monitor: boolean
  /** The rule's own sentence; '' when it has none. */
  readonly message: string
  readonly rule: Rule
}

export interface PolicyReading {
  /** undefined: there are problems, or the file holds tests only. */
  readonly policy: Policy | undefined
  /** Its tests; undefined: there are problems. */
  readonly suite: TestSuite | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

const MESSAGE_LENGTH_MAX = 500
const WHEN_LENGTH_MAX = 20_000

const name = parsed('letters, digits, _ . - (at most 63)', parseName)

const verdicts = oneOf(['allow', 'deny'])

const ruleForm = section(
  {
    id: name,
    when: parsed('an expression of CEL in quotes', (when) =>
      when.length <= WHEN_LENGTH_MAX && when.trim() !== '' ? when : undefined,
    ),
    then: choice((value) => (value === 'approve' ? `approve ${NOT_YET}` : verdicts), [verdicts]),
    message: parsed(`a sentence of at most ${MESSAGE_LENGTH_MAX} characters`, (message) =>
      message.length <= MESSAGE_LENGTH_MAX && !/[\0-\x1f]/.test(message.trim())
        ? message.trim()
        : undefined,
    ).optional(),
  },
  ['approval'],
)

const SCOPE_HINT = 'leave it out to speak of all'
const scopes = (fault: (value: string) => string | undefined): Field<string[]> =>
  checked(list(checked(text(), fault)), (items) =>
    items.length === 0 ? `expected at least one; ${SCOPE_HINT}` : undefined,
  )

function form(knownDetectors: KnownNames, own: readonly string[] = []) {
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
      detectors: detectorsForm.optional(),
      masks: list(maskForm(knownDetectors, own)).optional(),
      ...SUITE_FIELDS,
    },
    ['limits'],
  )
}

type Form = Value<ReturnType<typeof form>>

/** For editors: what a file may hold, one schema for both kinds. */
export function policySchema(knownDetectors: KnownNames): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Sluice policy, or tests of policies',
    if: { properties: { kind: { const: 'PolicyTests' } }, required: ['kind'] },
    then: jsonSchema(SUITE_FORM),
    else: jsonSchema(form(knownDetectors)),
  }
}

/** Total. `file` only names the file in problems. */
export function readPolicy(
  source: { path: string; text: string },
  knownDetectors: KnownNames,
): PolicyReading {
  const yaml = readYaml(source.path, source.text)
  if (!yaml.isReadable)
    return { policy: undefined, suite: undefined, problems: yaml.problems, warnings: [] }
  if (isSuite(yaml)) return { policy: undefined, ...readSuite(yaml, source.path), warnings: [] }
  const result = check<Form>(form(knownDetectors, ownNames(yaml.value)), yaml.value ?? null)
  const issues = 'issues' in result ? result.issues : []
  const problems = [
    ...yaml.problems,
    ...issues.map((issue) => yaml.problem(issue.path, issue.message, issue.at)),
  ]
  // Rules are compiled even where the form has problems, so that those of both come at once.
  const compiled = compileRules(yaml)
  problems.push(...compiled.problems, ...repeatedIds(yaml))
  const { warnings } = compiled
  if ('issues' in result || problems.length > 0)
    return { policy: undefined, suite: undefined, problems: problems.sort(inFileOrder), warnings }
  const { value } = result
  return {
    policy: build(value, { file: source.path, rules: compiled.rules, yaml }),
    suite: suiteOf(value, { file: source.path, policy: value.name, yaml }),
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
    const doubts = rule === undefined ? [] : doubtsOf(rule)
    for (const note of [...notes, ...doubts])
      warnings.push(yaml.problemInText(path, note.message, note.offset))
  }
  return { rules, problems, warnings }
}

/** What its form alone shows to be a mistake. */
function doubtsOf({ cases }: Rule): readonly { message: string; offset: number }[] {
  const never = neverTrue(cases)
  if (never === undefined) return deadWords(cases)
  return [{ message: `this can never be true: ${never.message}`, offset: never.offset }]
}

function repeatedIds(yaml: YamlFile): Problem[] {
  const seen = new Set<unknown>()
  return raw(yaml, 'rules').flatMap(({ id }, index) => {
    const isRepeated = typeof id === 'string' && seen.has(id)
    seen.add(id)
    return isRepeated ? [yaml.problem(['rules', index, 'id'], 'this id stands here twice')] : []
  })
}

/** The mappings of a list as they stand in the file, unchecked; what is none is an empty one. */
function raw(yaml: YamlFile, key: 'rules'): readonly Record<string, unknown>[] {
  const file = yaml.value
  const items = typeof file === 'object' && file !== null && key in file ? Object(file)[key] : []
  if (!Array.isArray(items)) return []
  return items.map((one: unknown) => (typeof one === 'object' && one !== null ? Object(one) : {}))
}

interface Source {
  readonly file: string
  readonly rules: ReadonlyMap<number, Rule>
  readonly yaml: YamlFile
}

function build(form: Form, from: Source): Policy {
  const monitor = form.mode === 'monitor'
  const own = ownDetectors(form.detectors)
  return {
    file: from.file,
    name: form.name,
    monitor,
    connections: form.applies?.connections ?? ['*'],
    roles: form.applies?.roles ?? ['*'],
    rules: (form.rules ?? []).map((one, index) => ({
      name: `${form.name}/${one.id}`,
      id: one.id,
      when: one.when,
      place: placeOf(from.yaml.problem(['rules', index], '')),
      then: one.then,
      monitor,
      message: one.message ?? '',
      rule: from.rules.get(index)!,
    })),
    masks: maskDeclarations(form.masks ?? [], {
      name: form.name,
      monitor,
      own,
    }),
    detectors: [...own.values()],
  }
}
