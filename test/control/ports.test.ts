import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { ConnectionConfig } from '../../src/config/shape.ts'
import { Places } from '../../src/control/places.ts'
import { WorkerPorts } from '../../src/control/ports.ts'
import { ControlPort } from '../../src/threads/control-port.ts'
import { WorkerPlaces } from '../../src/threads/places.ts'

const connection = { name: 'c', maxSessions: 1 } as ConnectionConfig
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function portsOf(places: Places): WorkerPorts {
  return new WorkerPorts({ places } as ConstructorParameters<typeof WorkerPorts>[0], () => {})
}

test('a place that is granted after its asker gave up is not lost', async () => {
  const places = new Places({ max: () => 1, waitMs: 100 })
  const { port1, port2 } = new MessageChannel()
  const control = new ControlPort(50)
  control.attach(port1)
  // Nobody listens yet: control is busy, or the whole machine stood still.
  await expect(new WorkerPlaces(control).take(connection)).rejects.toThrow('did not answer')
  portsOf(places).attach(1, port2)
  await pause(100)
  expect(await places.take(2, 'c')).toBe(true)
  port1.close()
})

test('a new line of a worker forgets what was asked over the former one', async () => {
  const places = new Places({ max: () => 1, waitMs: 2000 })
  const ports = portsOf(places)
  const control = new ControlPort(10_000)
  const line = () => {
    const { port1, port2 } = new MessageChannel()
    control.attach(port1)
    ports.attach(1, port2)
    return port1
  }
  line()
  const mine = new WorkerPlaces(control)
  expect(await places.take(2, 'c')).toBe(true)
  const asked = mine.take(connection)
  asked.catch(() => {})
  await pause(50)
  const second = line()
  mine.tell()
  await expect(asked).rejects.toThrow('replaced')
  await pause(50)
  places.leave(2, 'c')
  await pause(50)
  expect(await places.take(3, 'c')).toBe(true)
  second.close()
})
