/**
 * Pure. An explanation as a person reads it on a terminal, most important first: verdict and why, what the statement
 * does, every rule with its value, what comes out. Text from outside is passed through `show`, which writes out what
 * a terminal would obey.
 */
import {
  type Explained,
  type ExplainedOutput,
  type ExplainedRule,
  type ExplainedStatement,
  type ExplainedVerdict,
  NOT_KNOWN,
  type Plain,
} from './explain.ts'

type Show = (text: string) => string

const WIDTH = 100
const INDENT = 16
/** Of a list of facts. */
const ITEMS_MAX = 12

export function explanationText(explained: Explained, show: Show): string {
  const { as, connection, database, statements } = explained
  const roles = as.roles.length === 0 ? 'no role' : as.roles.join(', ')
  const groups = as.groups.length === 0 ? '' : `, groups ${as.groups.join(', ')}`
  const job = as.job === '' ? '' : `, job ${as.job}`
  const lines = [
    ...explained.statement
      .trim()
      .split('\n')
      .map((line) => `  ${show(line.trimEnd())}`),
    '',
    field('who', `${as.kind} ${as.subject}, as ${roles}${groups}${job}`, show),
    field('where', `${connection}/${database}; ${explained.names}`, show),
    field('policies', policies(explained), show),
    '',
    ...verdictLines(explained.verdict, show),
  ]
  for (const [at, one] of statements.entries()) {
    lines.push('')
    if (statements.length > 1)
      lines.push(`Statement ${at + 1} of ${statements.length}: ${show(oneLine(one.text))}`, '')
    lines.push(...statementLines(one, { explained, show }))
    if (statements.length > 1) lines.push('', ...verdictLines(one.verdict, show))
  }
  return `${lines.join('\n')}\n`
}

function policies({ policies: all }: Explained): string {
  const applying = all.filter(({ applies }) => applies)
  const others = all.length - applying.length
  const names = applying.map(({ name, mode }) => (mode === 'monitor' ? `${name} (monitor)` : name))
  const rest =
    others === 0 ? '' : `; ${others} more that ${others === 1 ? 'does' : 'do'} not apply here`
  return `${names.length === 0 ? 'none applies' : names.join(', ')}${rest}`
}

function verdictLines(verdict: ExplainedVerdict, show: Show): string[] {
  const { kind, rule, say, hint, position, because } = verdict
  const word = verdict.verdict === 'allow' ? 'ALLOW' : `DENY (${kind})`
  const lines = [field('verdict', `${word}${rule === '' ? '' : `, ${rule}`}`, show)]
  lines.push(field('because', because, show))
  if (say !== '' && !because.includes(say)) lines.push(field('client reads', say, show))
  if (hint !== '') lines.push(field('hint', hint, show))
  if (position > 0) lines.push(field('at', `character ${position}`, show))
  return lines
}

function statementLines(
  one: ExplainedStatement,
  { explained, show }: { explained: Explained; show: Show },
): string[] {
  const lines = ['It does']
  const classes = one.classes.map(({ class: name, allowed }) => (allowed ? name : `${name} ✗`))
  lines.push(
    field('classes', `${classes.join(', ')}   (allowed: ${explained.allowed.join(', ')})`, show),
  )
  for (const reason of one.reasons) lines.push(field('', reason, show))
  for (const [name, value] of Object.entries(one.facts))
    lines.push(field(name.replace(/^sql\./, ''), valueText(value), show))
  lines.push(
    '',
    one.rules.length === 0 ? 'Rules: none speaks of this connection and role' : 'Rules',
  )
  for (const rule of one.rules) lines.push(...ruleLines(rule, show))
  return [...lines, ...outputLines(one, explained, show)]
}

/** What a rule that says no has read stands among the facts; of one that says yes, or fails, it stands beside it. */
function ruleLines(rule: ExplainedRule, show: Show): string[] {
  const value = rule.value === 'error' ? 'fails' : String(rule.value)
  const mark = rule.decides ? '→' : ' '
  const mode = rule.mode === 'monitor' ? ' (monitor)' : ''
  const head = `${mark} ${value.padEnd(5)}  ${rule.then.padEnd(5)}  ${show(rule.rule)}${mode}`
  const lines = [head, ...wrap(oneLine(rule.when), 16, show)]
  const reads = Object.entries(rule.reads).map(
    ([name, fact]) => `${name} = ${fact === NOT_KNOWN ? fact : literal(fact)}`,
  )
  if (rule.value !== false && reads.length > 0)
    lines.push(...wrap(`with ${reads.join('; ')}`, 16, show))
  return lines
}

function outputLines(one: ExplainedStatement, explained: Explained, show: Show): string[] {
  const { outputs, deciding, verdict } = one
  const isDenied = verdict.verdict === 'deny'
  const lines: string[] = []
  if (outputs === undefined) {
    if (isDenied) return lines
    lines.push('', 'Comes out')
    lines.push(
      ...wrap(
        'columns whose place the text does not tell; each is masked by what the target describes it as',
        2,
        show,
      ),
    )
  } else if (outputs.length > 0) {
    lines.push('', isDenied ? 'Would come out' : 'Comes out')
    const widest = Math.max(...outputs.map(({ name }) => show(name).length))
    for (const output of outputs) lines.push(...outputLine(output, widest, show))
  }
  if (deciding.length > 0) {
    if (lines.length === 0) lines.push('')
    lines.push(field('rows chosen by', deciding.join(', '), show))
  }
  if (isDenied || outputs?.length === 0) return lines
  for (const [done, names] of Object.entries(explained.detectors))
    lines.push(field('detectors', `${done} what ${names.join(', ')} find in any text`, show))
  return lines
}

const HOWS: Readonly<Record<string, string>> = {
  identity: '',
  total: 'computed from ',
  aggregate: 'aggregated from ',
  other: 'computed from ',
}

function outputLine(output: ExplainedOutput, widest: number, show: Show): string[] {
  const { name, from, how, masked } = output
  const source = from.length === 0 ? 'no column' : `${HOWS[how] ?? ''}${from.join(', ')}`
  const shown = masked === '' ? 'as it is' : `masked: ${masked}`
  return wrap(`${show(name).padEnd(widest)}  ${source}  →  ${shown}`, 2, (text) => text).map(
    (line) => show(line),
  )
}

function literal(value: Plain): string {
  if (Array.isArray(value)) return `[${cut(value.map(literal)).join(', ')}]`
  return typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value)
}

function valueText(value: Plain): string {
  if (Array.isArray(value))
    return cut(value.map((one) => (typeof one === 'string' ? one : literal(one)))).join(', ')
  if (value === true) return 'yes'
  if (value === false) return 'no'
  return typeof value === 'string' ? value : literal(value)
}

function cut(items: readonly string[]): readonly string[] {
  if (items.length <= ITEMS_MAX) return items
  return [...items.filter((_, at) => at < ITEMS_MAX), `… ${items.length - ITEMS_MAX} more`]
}

function field(name: string, text: string, show: Show): string {
  const [first = '', ...rest] = wrap(text, INDENT + 2, show)
  return [`  ${name.padEnd(INDENT)}${first.trimStart()}`, ...rest].join('\n')
}

/** Lines of at most WIDTH characters behind an indentation, broken at blanks. */
function wrap(text: string, indent: number, show: Show): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of show(text).split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH - indent) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => `${' '.repeat(indent)}${one}`)
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}
