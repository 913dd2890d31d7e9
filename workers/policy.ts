/** IO. Entry of a policy thread: what the API asks of policies comes in, documents go out (control/policy-thread.ts). */
import { parentPort } from 'node:worker_threads'
import { GatewayError } from '../src/base/errors.ts'
import type { PolicyAnswer, PolicyQuestion } from '../src/control/policy-thread.ts'
import { runJob } from '../src/policy/jobs.ts'
import { Unreadable } from '../src/policy/record-stream.ts'
import { loadParser } from '../src/protocols/postgres/sql/parse.ts'
import { Store } from '../src/replay/store.ts'

const loaded = loadParser()

parentPort?.on('message', async (question: PolicyQuestion) => {
  const answer = await answerTo(question)
  parentPort?.postMessage(answer)
})

async function answerTo({ id, job, settings, store, now }: PolicyQuestion): Promise<PolicyAnswer> {
  const { store: place } = settings.config.recorder
  const reader = store && new Store(store, place.embedded ? 'sluice' : place.database)
  const query = async (sql: string) => {
    const found = await reader?.audit(sql)
    if (found?.type === 'rows') return found
    throw new Unreadable(found?.say ?? 'There is no record to read.')
  }
  try {
    await loaded
    return { id, answer: await runJob(job, { settings, query, now }) }
  } catch (error) {
    const { code, message } = GatewayError.from(error)
    return { id, failed: { code, message } }
  } finally {
    reader?.close()
  }
}
