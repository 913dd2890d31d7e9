import { expect, test } from 'vitest'
import { reloadable } from '../../src/threads/reloadable.ts'
import { configOf } from './configuration.ts'

const old = configOf()

test('what sessions ask for each time takes effect', () => {
  const wanted = { ...old, limits: { ...old.limits, connections: 5 }, policies: ['/p'] }
  expect(reloadable(old, wanted)).toEqual({ config: wanted, kept: [] })
})

test('what was bound or opened at the start is kept, and said', () => {
  const wanted = { ...old, data: '/elsewhere', workers: 7, policies: ['/p'] }
  const { config, kept } = reloadable(old, wanted)
  expect(kept).toEqual(['data', 'workers'])
  expect(config).toEqual({ ...old, policies: ['/p'] })
})

test('a listener may change its plaintext blocks and certificates but not its place', () => {
  const [first] = old.listeners
  const tls = { cert: '/new.pem', key: { file: '/new.key' } }
  const renewed = { ...old, listeners: [{ ...first!, plaintextFrom: [], tls }] }
  expect(reloadable(old, renewed)).toEqual({ config: renewed, kept: [] })
  const moved = { ...old, listeners: [{ ...first!, listen: { host: '::1', port: 1 } }] }
  expect(reloadable(old, moved)).toEqual({ config: old, kept: ['listeners'] })
  expect(reloadable(old, { ...old, listeners: [] }).kept).toEqual(['listeners'])
})
