import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newIndex } from '../../src/replay/bundle-index.ts'
import { escaped, indexPage } from '../../src/replay/bundle-page.ts'

const TAGS = /<\/?(h1|h2|p|div|b|code|pre|details|summary|a)( [^<>]*)?>/g

test('what is shown keeps its letters and loses its power', () => {
  expect(escaped('a <script>alert("x")</script> & b')).toBe(
    'a &#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; b',
  )
  // Turned around, hidden, or ending a line for some readers.
  expect(escaped('a\u202eb\u200bc\u0000d\u2028e\rf')).toBe(
    'a\\u{202e}b\\u{200b}c\\u{0}d\\u{2028}e\\u{d}f',
  )
  expect(escaped('zwei\n\tZeilen, größer')).toBe('zwei\n\tZeilen, größer')
})

test('no text of anybody makes a tag, wherever it comes from', () => {
  const bad = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('</script><script>', '"><img src=x onerror=1>', '</pre><b>', '{"a":1}', "'`"),
  )
  fc.assert(
    fc.property(bad, bad, (one, other) => {
      const index = newIndex()
      index.scope = one
      index.known.push(other)
      index.claims = [[one, other]]
      index.moments.push(one)
      index.actions.set(1, { seq: 1, at: Number.NaN, facts: [['statement', one]], outcome: other })
      index.requests.add(one)
      index.versions.add(other)
      index.policies.set(one, other)
      index.sealed.push(one)
      const page = indexPage(index, '')
      expect(page.replace(TAGS, '')).not.toMatch(/[<>]/)
      expect(page.replace(TAGS, '').match(/"/g)).toBe(null)
    }),
  )
})

test('only our own tags have attributes', () => {
  const page = indexPage(newIndex(), 'AA==')
  expect(page.match(/<a [^>]*>/g)).toEqual([
    '<a download="verifier.mjs" href="data:text/javascript;base64,AA==">',
  ])
})
