/** Two gateways on one data folder would ship each other's spool. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Place, startPlace } from './place.ts'

let place: Place
beforeAll(async () => {
  place = await startPlace()
})
afterAll(() => place?.stop())

test('the second one is refused with one line and exit code 2, and the first goes on', async () => {
  const { gateway } = place
  const { code, stdout, stderr } = await gateway.cli(['serve'])
  expect(code).toBe(2)
  const lines = `${stdout}${stderr}`.trim().split('\n')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(`is in use by the gateway with process id ${gateway.pid}`)
  const client = await place.client()
  expect((await client.query('SELECT 1')).rows).toEqual(['1'])
  await client.close()
})

test('a folder whose gateway was killed is free at once', async () => {
  const { gateway } = place
  await gateway.kill('SIGKILL')
  await gateway.restart()
  const client = await place.client()
  expect((await client.query('SELECT 1')).rows).toEqual(['1'])
  await client.close()
})
