import { describe, expect, test } from 'vitest'
import { permitsOperator, permitsRoles } from '../../src/control/permit.ts'

const ALL = ['known', 'view', 'audit', 'kill', 'tokens', 'hold', 'erase'] as const

describe('an API role', () => {
  test('permits what is written and nothing else', () => {
    const may = (...roles: Parameters<typeof permitsRoles>[0][number][]): string =>
      ALL.filter((wanted) => permitsRoles(roles, wanted)).join(' ')
    expect(may()).toBe('known')
    expect(may('viewer')).toBe('known view')
    expect(may('auditor')).toBe('known view audit hold')
    expect(may('operator')).toBe('known view kill')
    expect(may('admin')).toBe('known view kill tokens erase')
    expect(may('admin', 'auditor')).toBe('known view audit kill tokens hold erase')
  })

  test("is not needed by the host's operator", () => {
    expect(ALL.every(permitsOperator)).toBe(true)
  })
})
