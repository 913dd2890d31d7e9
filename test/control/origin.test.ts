import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { misdirected } from '../../src/control/origin.ts'

const PUBLIC = 'https://Sluice.example.com:8443'

describe('a request to the control listener', () => {
  test.each([
    'localhost',
    'LOCALHOST:7070',
    '127.0.0.1:7070',
    '127.8.8.8',
    '[::1]:7070',
    'sluice.example.com:8443',
  ])('for %s is ours', (host) => {
    expect(misdirected({ host, origin: undefined }, PUBLIC)).toBeUndefined()
    expect(misdirected({ host, origin: `http://${host}` }, PUBLIC)).toBeUndefined()
  })

  test.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:7070',
    '127.0.0.1.evil.example',
    '0.0.0.0',
    '10.0.0.1',
    '[::]',
    '::1',
    'localhost:7070:7070',
    'localhost/',
    'user@localhost',
    'sluice.example.com',
    '2130706433',
    '0x7f.1',
    '127.1',
  ])('for %s is not', (host) => {
    expect(misdirected({ host, origin: undefined }, PUBLIC)).toBeTypeOf('string')
  })

  test('from another origin is refused, whatever the host', () => {
    for (const origin of [
      'null',
      '',
      'https://evil.example',
      'http://localhost/',
      'file://',
      'https://localhost@evil.example',
    ])
      expect(misdirected({ host: 'localhost', origin }, PUBLIC)).toBeTypeOf('string')
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (host, origin) => {
        misdirected({ host, origin }, undefined)
      }),
    )
  })
})
