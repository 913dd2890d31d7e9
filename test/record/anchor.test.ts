import { expect, test } from 'vitest'
import { anchorLine, anchorTarget, s3Put } from '../../src/record/anchor.ts'

const PLACE = {
  type: 's3',
  url: 'https://examplebucket.s3.amazonaws.com/heads/',
  region: 'us-east-1',
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
} as const

test('secrets are looked up, and where there is a key it is named by its file only', () => {
  const secretOf = (reference: object) => `secret of ${JSON.stringify(reference)}`
  const config = { type: 'http', url: 'https://a', token: { env: 'T' }, keyFile: '/k.pem' } as const
  expect(anchorTarget(config, secretOf)).toEqual({
    type: 'http',
    url: 'https://a',
    token: 'secret of {"env":"T"}',
    keyFile: '/k.pem',
  })
  const file = { type: 'file', path: '/worm', keyFile: undefined } as const
  expect(anchorTarget(file, secretOf)).toEqual(file)
})

test('a line holds all that it takes to check it', () => {
  const head = { text: 't', signature: 's', peaks: ['p'] }
  const keys = [{ text: 'k', signature: 'ks' }]
  expect(JSON.parse(anchorLine(head, keys, undefined))).toEqual({ text: 't', signature: 's', keys })
  const by = { key: 'pub', signature: 'sig' }
  expect(JSON.parse(anchorLine(head, keys, by))).toMatchObject({ by })
})

test('a put is signed over its name, its body, its moment and its secret', () => {
  const what = { name: 'g.1/000000000001.json', body: '{}', date: '20261121T160000Z' }
  const put = s3Put(PLACE, what)
  expect(put.url).toBe('https://examplebucket.s3.amazonaws.com/heads/g.1/000000000001.json')
  expect(put.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20261121\/us-east-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
  )
  const others = [
    s3Put(PLACE, { ...what, body: '[]' }),
    s3Put(PLACE, { ...what, name: 'x' }),
    s3Put(PLACE, { ...what, date: '20261122T160000Z' }),
    s3Put({ ...PLACE, secretKey: 'x' }, what),
  ]
  const all = [put, ...others].map(({ headers }) => headers.authorization)
  expect(new Set(all).size).toBe(5)
})
