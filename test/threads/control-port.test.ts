import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { ControlPort } from '../../src/threads/control-port.ts'

const open: MessagePort[] = []
afterEach(() => {
  for (const port of open.splice(0)) port.close()
})

/** A port, and the control thread's end of it, which answers as told. */
function connected(waitMsMax: number, answer: (question: { id: number }) => object | undefined) {
  const port = new ControlPort(waitMsMax)
  const attach = () => {
    const { port1, port2 } = new MessageChannel()
    open.push(port1, port2)
    port2.on('message', (question: { id: number }) => {
      const said = answer(question)
      if (said !== undefined) port2.postMessage(said)
    })
    port.attach(port1)
    return port2
  }
  return { port, attach, control: attach() }
}
const code = (expected: string) => expect.objectContaining({ code: expected })
const QUESTION = { type: 'password', login: { connection: 'c', role: '' } } as const

test('answers find their questions, in whatever order they come', async () => {
  const asked: number[] = []
  const { port, control } = connected(5000, ({ id }) => {
    asked.push(id)
    if (asked.length < 2) return undefined
    for (const one of asked.reverse()) {
      control.postMessage({ id: one, type: 'password', password: `p${one}` })
    }
    return undefined
  })
  const answers = await Promise.all([
    port.ask(QUESTION, 'password'),
    port.ask(QUESTION, 'password'),
  ])
  expect(answers.map(({ password }) => password)).toEqual(['p1', 'p2'])
})

test('a failure that control names is thrown as such, another kind of answer is a bug', async () => {
  const failed = connected(5000, ({ id }) => ({
    id,
    type: 'failed',
    code: 'GW_UNAVAILABLE',
    message: 'x',
  }))
  await expect(failed.port.ask(QUESTION, 'password')).rejects.toEqual(code('GW_UNAVAILABLE'))
  const other = connected(5000, ({ id }) => ({ id, type: 'md5', answer: 'x' }))
  await expect(other.port.ask(QUESTION, 'password')).rejects.toEqual(code('GW_INTERNAL'))
})

test('no answer in time, no port and a port that closes are unavailable', async () => {
  const silent = connected(20, () => undefined)
  await expect(silent.port.ask(QUESTION, 'password')).rejects.toEqual(code('GW_UNAVAILABLE'))
  await expect(new ControlPort(20).ask(QUESTION, 'password')).rejects.toEqual(
    code('GW_UNAVAILABLE'),
  )
  const closing = connected(5000, () => undefined)
  const asked = closing.port.ask(QUESTION, 'password')
  closing.control.close()
  await expect(asked).rejects.toEqual(code('GW_UNAVAILABLE'))
})

test('a fresh port takes over, and what the old one was asked fails', async () => {
  let silent = true
  const { port, attach } = connected(5000, ({ id }) =>
    silent ? undefined : { id, type: 'password', password: 'p' },
  )
  const lost = port.ask(QUESTION, 'password')
  silent = false
  attach()
  await expect(lost).rejects.toEqual(code('GW_UNAVAILABLE'))
  await expect(port.ask(QUESTION, 'password')).resolves.toMatchObject({ password: 'p' })
})
