import { describe, expect, test } from 'vitest'
import { json } from '../../../src/control/answer.ts'
import { findRoute, type Route } from '../../../src/control/api/route.ts'

function route(method: Route['method'], path: string): Route {
  return { method, path, needs: 'known', summary: '', handle: async () => json(200, {}) }
}

const ROUTES = [route('GET', '/a'), route('POST', '/a'), route('GET', '/a/{id}')]

describe('finding a route', () => {
  test('takes method and path, and the id of the last part', () => {
    expect(findRoute(ROUTES, 'GET', '/a')).toEqual({ route: ROUTES[0], id: '' })
    expect(findRoute(ROUTES, 'GET', '/a/x-1_Z')).toEqual({ route: ROUTES[2], id: 'x-1_Z' })
  })

  test('says which methods a path has', () => {
    expect(findRoute(ROUTES, 'DELETE', '/a')).toEqual({ allow: ['GET', 'POST'] })
  })

  test('finds nothing for other paths, however they are spelt', () => {
    for (const path of [
      '/',
      '/a/',
      '/a/b/c',
      '/a/..',
      '/a/%2e',
      '//a',
      '/A',
      '/a/x%2fy',
      `/a/${'x'.repeat(65)}`,
      '/a/x\n',
    ])
      expect({ path, found: findRoute(ROUTES, 'GET', path) }).toEqual({ path, found: undefined })
  })
})
