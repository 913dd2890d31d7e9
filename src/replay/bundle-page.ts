/**
 * Pure. The index of an evidence bundle as HTML. Everything in it may have been written by an attacker: each text goes through
 * `escaped`, and stands between tags, never within one.
 */
import { type BundleIndex, timeOf } from './bundle-index.ts'

/** Safe as the content of an element; what cannot be seen, or turns the direction of writing, is written out. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .replace(
      /(?![\n\t])[\p{C}\u2028\u2029]/gu,
      (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`,
    )
}

/** `verifier`: base64. */
export function indexPage(index: BundleIndex, verifier: string): string {
  return [
    `<h1>Session ${index.session}</h1>`,
    `<p>Evidence of ${escaped(index.scope)}, made ${timeOf(index.made)}.</p>`,
    howTo(verifier),
    section('Who it was', index.claims.map(pair)),
    section('Moments', index.moments.map(item)),
    section('Actions', actions(index)),
    section('Policies that decided', policies(index)),
    section('Approvals', approvals(index)),
    section('Sealed originals', sealed(index)),
    section('The chain', chain(index)),
    '',
  ].join('\n')
}

function howTo(verifier: string): string {
  return [
    '<h2>Do not believe this page</h2>',
    '<p>It is made of the lines of evidence in this file, and shows what they say. Whether they are as they were recorded is',
    'told by <code>sluice audit verify --bundle FILE</code>, which compares this page with them as well, or, of the lines alone,',
    'by <code>node verifier.mjs FILE</code> with a verifier that you have from elsewhere. Compare the first key of the chain with the',
    'one that you know (<code>--key</code>), and give the heads that your anchors kept (<code>--anchor</code>).',
    `<a download="verifier.mjs" href="data:text/javascript;base64,${verifier}">The verifier of this version</a>.</p>`,
  ].join('\n')
}

function section(title: string, parts: readonly string[]): string {
  return `<h2>${title}</h2>\n${parts.length === 0 ? '<p>None.</p>' : parts.join('\n')}`
}

function pair([name, value]: readonly [string, string]): string {
  return `<div><b>${escaped(name)}</b> ${escaped(value)}</div>`
}

function item(text: string): string {
  return `<div>${escaped(text)}</div>`
}

function actions({ actions: found, actionsLeft }: BundleIndex): string[] {
  const list = [...found.values()].map(
    ({ seq, at, facts, outcome }) =>
      `<details><summary>${seq} ${timeOf(at)} ${escaped(first(facts))} → ${escaped(outcome)}</summary>` +
      `${facts.map(pair).join('')}</details>`,
  )
  if (actionsLeft > 0) list.push(`<p>${actionsLeft} actions more are in the evidence.</p>`)
  return list
}

function first(facts: readonly (readonly [string, string])[]): string {
  const of = (wanted: string) => facts.find(([name]) => name === wanted)?.[1] ?? ''
  const statement = of('statement').replaceAll(/\s+/g, ' ')
  return `${of('verdict')} ${of('verb')} ${statement.substring(0, 160)}`
}

function policies({ policies: found, versions }: BundleIndex): string[] {
  const decided = `<p>Versions: ${escaped([...versions].join(', '))}.</p>`
  if (found.size === 0 && versions.size > 0)
    return [
      decided,
      '<p>Their text is not in the evidence: there were no files, or no record of them.</p>',
    ]
  return [
    ...(versions.size > 0 ? [decided] : []),
    ...[...found].map(
      ([name, text]) =>
        `<details><summary>${escaped(name)}</summary><pre>${escaped(text)}</pre></details>`,
    ),
  ]
}

function approvals({ requests }: BundleIndex): string[] {
  if (requests.size === 0) return ['<p>No action of this session asked for one.</p>']
  return [...requests].map(item)
}

function sealed({ sealed: found }: BundleIndex): string[] {
  if (found.length === 0) return ['<p>No originals of masked values are kept.</p>']
  return ['<p>Kept apart, and no part of this file; their digests are.</p>', ...found.map(item)]
}

function chain({ keys, leaves, heads, known }: BundleIndex): string[] {
  const counts = `<p>${leaves} leaves, ${heads} signed heads, ${keys} public keys. Heads that others have kept:</p>`
  return [counts, ...known.map((one) => `<pre>${escaped(one)}</pre>`)]
}
