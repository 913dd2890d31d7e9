/** Pure. `/api/openapi.json`: made from the routes themselves, so that it cannot differ from them. */
import type { Route } from './route.ts'

export function describeApi(routes: readonly Route[]): Record<string, unknown> {
  const paths = new Map<string, Record<string, unknown>>()
  for (const route of routes) {
    const path = paths.get(route.path) ?? {}
    path[route.method.toLowerCase()] = describeRoute(route)
    paths.set(route.path, path)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice', version: '1' },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Problem: {
          description: 'RFC 9457',
          type: 'object',
          required: ['type', 'title', 'status', 'detail'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
          },
        },
      },
    },
    security: [{ token: [] }],
    paths: Object.fromEntries(paths),
  }
}

function describeRoute(route: Route): Record<string, unknown> {
  const isNamed = route.path.includes('{id}')
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
  const asked = Object.entries(route.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }))
  const parameters = [...(isNamed ? [id] : []), ...asked]
  const body = { required: true, content: { 'application/json': { schema: route.body } } }
  const failed = {
    description: 'A problem document',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
  return {
    summary: route.summary,
    'x-needs': route.needs,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: body }),
    responses: { '2XX': { description: 'JSON' }, default: failed },
  }
}
