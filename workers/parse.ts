/** IO. Entry of a parse thread: long texts come in, their trees go out as JSON text (protocols/postgres/parse-pool.ts). */
import { parentPort } from 'node:worker_threads'
import type { ParseAnswer, ParseQuestion } from '../src/protocols/postgres/parse-pool.ts'
import { loadParser, parse } from '../src/protocols/postgres/sql/parse.ts'

const loaded = loadParser()

parentPort?.on('message', async ({ id, text }: ParseQuestion) => {
  await loaded
  parentPort?.postMessage(answer(id, text))
})

function answer(id: number, text: string): ParseAnswer {
  const parsed = parse(text)
  if (!('statements' in parsed)) return { id, opaque: parsed }
  try {
    return { id, tree: JSON.stringify(parsed) }
  } catch {
    const reason = 'The text is nested too deeply for the parser.'
    return { id, opaque: { reason, position: undefined } }
  }
}
