/**
 * Pure. Tests of policies: the `tests:` and `schema:` of a policy file, or a file of their own (`kind: PolicyTests`).
 * Only read here; policy/test-run.ts runs them.
 */
import {
  always,
  check,
  choice,
  list,
  oneOf,
  parsed,
  section,
  text,
  type Value,
  withSchema,
} from '../config/fields.ts'
import { inFileOrder, NOT_YET, type Problem } from '../config/problem.ts'
import { parseName } from '../config/units.ts'
import type { YamlFile } from '../config/yaml.ts'

export interface TestSuite {
  readonly file: string
  /** Whose `tests:` they are; '' in a file of their own. */
  readonly policy: string
  /** DDL of the tables that the statements are about; '' for none. */
  readonly schema: string
  /** Where each line of `schema` begins in the file. */
  readonly schemaLines: readonly Place[]
  readonly tests: readonly PolicyTest[]
}

export interface Place {
  readonly line: number
  readonly column: number
}

export interface PolicyTest {
  readonly as: {
    readonly subject: string
    readonly roles: readonly string[]
    readonly groups: readonly string[]
    readonly kind: 'human' | 'workload'
    readonly job: string
  }
  readonly connection: string
  /** '' for the connection's own. */
  readonly database: string
  readonly statement: string
  readonly params: readonly string[]
  readonly inTransaction: boolean
  readonly expect: 'allow' | 'deny'
  /** `rule` or `policy/rule` that is expected to say so; '' for whichever. */
  readonly rule: string
  /** Result columns that are expected to be masked, and no others; undefined: not looked at. */
  readonly masked: readonly string[] | undefined
  readonly place: Place
}

const name = parsed('letters, digits, _ . - (at most 63)', parseName)
const bool = withSchema(
  choice<boolean>((value) =>
    typeof value === 'boolean' ? always(value) : 'expected true or false',
  ),
  { type: 'boolean' },
)

const verdicts = oneOf(['allow', 'deny'])
const ruleName = parsed('the id of a rule, or policy/id', (value) =>
  /^[\w.-]{1,63}(\/[\w.-]{1,63})?$/.test(value) ? value : undefined,
)

const testForm = section({
  as: section({
    subject: text(),
    roles: list(name, { min: 1 }),
    groups: list(text()).optional(),
    kind: oneOf(['human', 'workload']).optional(),
    job: text().optional(),
  }),
  connection: name,
  database: text().optional(),
  statement: text(),
  params: list(parsed('text in quotes', (value) => value)).optional(),
  in_transaction: bool.optional(),
  expect: choice((value) => (value === 'approve' ? `approve ${NOT_YET}` : verdicts), [verdicts]),
  rule: ruleName.optional(),
  masked: list(text()).optional(),
})

/** What a policy file and a file of tests share. */
export const SUITE_FIELDS = {
  schema: text('DDL as text: CREATE TABLE …').optional(),
  tests: list(testForm).optional(),
}

export const SUITE_FORM = section({
  apiVersion: oneOf(['sluice/v1']),
  kind: oneOf(['PolicyTests']),
  ...SUITE_FIELDS,
})

interface SuiteForm {
  readonly schema?: string | undefined
  readonly tests?: readonly Value<typeof testForm>[] | undefined
}

/** The file says that it holds tests and nothing else. */
export function isSuite(yaml: YamlFile): boolean {
  const { value } = yaml
  return typeof value === 'object' && value !== null && Object(value).kind === 'PolicyTests'
}

export function readSuite(
  yaml: YamlFile,
  file: string,
): { suite: TestSuite | undefined; problems: readonly Problem[] } {
  const result = check(SUITE_FORM, yaml.value)
  const issues = 'issues' in result ? result.issues : []
  const problems = [
    ...yaml.problems,
    ...issues.map((issue) => yaml.problem(issue.path, issue.message, issue.at)),
  ].sort(inFileOrder)
  if ('issues' in result || problems.length > 0) return { suite: undefined, problems }
  return { suite: suiteOf(result.value, { file, policy: '', yaml }), problems }
}

export function suiteOf(
  form: SuiteForm,
  from: { file: string; policy: string; yaml: YamlFile },
): TestSuite {
  const { file, policy, yaml } = from
  return {
    file,
    policy,
    schema: form.schema ?? '',
    schemaLines: linesOf(form.schema ?? '', yaml),
    tests: (form.tests ?? []).map((test, index) => ({
      as: {
        subject: test.as.subject,
        roles: test.as.roles,
        groups: test.as.groups ?? [],
        kind: test.as.kind ?? 'workload',
        job: test.as.job ?? '',
      },
      connection: test.connection,
      database: test.database ?? '',
      statement: test.statement,
      params: test.params ?? [],
      inTransaction: test.in_transaction ?? false,
      expect: test.expect,
      rule: test.rule ?? '',
      masked: test.masked,
      place: placeOf(yaml.problem(['tests', index], '')),
    })),
  }
}

function linesOf(schema: string, yaml: YamlFile): readonly Place[] {
  const places: Place[] = []
  for (let at = 0; at >= 0 && at < schema.length; ) {
    places.push(placeOf(yaml.problemInText(['schema'], '', at)))
    const end = schema.indexOf('\n', at)
    at = end < 0 ? -1 : end + 1
  }
  return places
}

export function placeOf({ line, column }: Problem): Place {
  return { line, column }
}
