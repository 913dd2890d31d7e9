import { expect, test } from 'vitest'
import { json } from '../../../src/control/answer.ts'
import { describeApi } from '../../../src/control/api/openapi.ts'
import type { Route } from '../../../src/control/api/route.ts'

test('the description holds every route with its permission, parameter and body', () => {
  const route: Route = {
    method: 'DELETE',
    path: '/x/{id}',
    needs: 'kill',
    summary: 'Ends it.',
    body: { type: 'object' },
    handle: async () => json(200, {}),
  }
  const other: Route = { ...route, method: 'GET', needs: 'view' }
  expect(describeApi([route, other])).toMatchObject({
    openapi: '3.1.0',
    paths: {
      '/x/{id}': {
        get: { 'x-needs': 'view' },
        delete: {
          summary: 'Ends it.',
          'x-needs': 'kill',
          parameters: [{ name: 'id', in: 'path' }],
          requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
        },
      },
    },
  })
})
