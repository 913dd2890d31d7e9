/**
 * Pure. What a PromQL expression relies on, held against what a scrape really has: metrics, labels, values that
 * are asked for by name, and that rates are taken of what only rises.
 */
import { parser } from '@prometheus-io/lezer-promql'
import type { Sample } from './exposition.ts'

/** Labels that Prometheus itself puts on what it scrapes. */
const OF_PROMETHEUS = new Set(['instance', 'job'])
const OF_COUNTERS = new Set(['rate', 'irate', 'increase'])

type Node = NonNullable<ReturnType<typeof parser.parse>['topNode']>

/** Problems in words; none when the expression would find what it asks for. */
export function problemsOf(
  expression: string,
  scrape: ReadonlyMap<string, Sample>,
): readonly string[] {
  const text = (node: Node): string => expression.slice(node.from, node.to)
  const problems: string[] = []
  const { topNode } = parser.parse(expression)
  for (const node of walk(topNode)) {
    if (node.type.isError) problems.push(`does not parse at ${node.from}`)
    if (node.name === 'VectorSelector') {
      problems.push(...selectorProblems(node, scrape, text))
      const call = outer(node, 'FunctionCall')?.getChild('FunctionIdentifier')
      const type = scrape.get(metricOf(node, text))?.type
      if (call && OF_COUNTERS.has(text(call)) && type === 'gauge')
        problems.push(`${text(call)} of ${metricOf(node, text)}, which is a gauge`)
    }
    if (node.name === 'AggregateExpr') problems.push(...groupingProblems(node, scrape, text))
    if (node.name === 'FunctionCall' && text(node).startsWith('histogram_quantile')) {
      const kept = labelsIn(node.getChild('FunctionCallBody')?.getChild('AggregateExpr'), text)
      if (!kept.includes('le')) problems.push('histogram_quantile of what has lost its le')
    }
  }
  if (![...walk(topNode)].some(({ name }) => name === 'VectorSelector'))
    problems.push('asks for no metric')
  return problems
}

type Text = (node: Node) => string

function selectorProblems(
  node: Node,
  scrape: ReadonlyMap<string, Sample>,
  text: Text,
): readonly string[] {
  const metric = metricOf(node, text)
  const sample = scrape.get(metric)
  if (sample === undefined) return [`${metric} does not exist`]
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  return matchers.flatMap((matcher) => {
    const [label = '', operator, quoted = ''] = childrenOf(matcher).map(text)
    if (OF_PROMETHEUS.has(label)) return []
    const values = sample.labels.get(label)
    if (values === undefined) return [`${metric} has no label ${label}`]
    const wanted = quoted.slice(1, -1)
    const isThere = operator === '=~' || values.has(wanted)
    return isThere ? [] : [`${metric} has no ${label} ${wanted}`]
  })
}

function groupingProblems(
  node: Node,
  scrape: ReadonlyMap<string, Sample>,
  text: Text,
): readonly string[] {
  const metrics = [...walk(node)].filter(({ name }) => name === 'VectorSelector')
  return labelsIn(node, text).flatMap((label) =>
    metrics
      .map((selector) => metricOf(selector, text))
      .filter((metric) => !OF_PROMETHEUS.has(label) && !scrape.get(metric)?.labels.has(label))
      .map((metric) => `grouped by ${label}, which ${metric} has not`),
  )
}

function labelsIn(aggregate: Node | null | undefined, text: Text): readonly string[] {
  const labels = aggregate?.getChild('AggregateModifier')?.getChild('GroupingLabels')
  return labels?.getChildren('LabelName').map(text) ?? []
}

function metricOf(selector: Node, text: Text): string {
  const name = selector.getChild('Identifier')
  return name === null ? '' : text(name)
}

function outer(node: Node, name: string): Node | undefined {
  for (let one = node.parent; one !== null; one = one.parent) if (one.name === name) return one
  return undefined
}

function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child)
  return children
}

function* walk(node: Node): Iterable<Node> {
  yield node
  for (const child of childrenOf(node)) yield* walk(child)
}
