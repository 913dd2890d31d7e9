/** Pure. Results of tests as JUnit's XML, which build servers read. */
import type { TestRun } from './test-run.ts'

export function junit({ results, problems }: TestRun): string {
  const files = new Map<string, string[]>()
  const add = (file: string, name: string, failure: string | undefined): void => {
    const inside = failure === undefined ? '/>' : `><failure message="${xml(failure)}"/></testcase>`
    const line = `    <testcase classname="${xml(file)}" name="${xml(name)}"${inside}`
    files.set(file, [...(files.get(file) ?? []), line])
  }
  for (const { file, line, title, failure } of results) add(file, `${line}: ${title}`, failure)
  for (const { file, line, message } of problems) add(file, `${line}: schema`, message)
  const suites = [...files].map(([file, cases]) => {
    const failures = cases.filter((one) => one.includes('<failure ')).length
    return `  <testsuite name="${xml(file)}" tests="${cases.length}" failures="${failures}">\n${cases.join('\n')}\n  </testsuite>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`
}

/** Characters that XML 1.0 cannot hold become the replacement character. */
function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\t\n\r]/g, (one) => `&#${one.charCodeAt(0)};`)
}
