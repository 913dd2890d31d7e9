/** Sealed originals on their way into the store, over the real engine. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clock } from '../../src/base/clock.ts'
import { SealedRecorder } from '../../src/record/sealed-recorder.ts'
import { unseal } from '../../src/replay/unseal.ts'
import { ANN, put, Sealing } from '../replay/sealing.ts'
import { facts, Place, until } from './running.ts'

let place: Sealing

beforeAll(async () => {
  place = await Sealing.start()
}, 180_000)

afterAll(() => place.close())

/** Calls of this process that write. */
function writes(): number {
  return Number(/syscw: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))![1])
}

describe('the spool of sealed originals', () => {
  test('that cannot be written lets nothing go, and loses nothing', async () => {
    const recorder = place.at.recorder({ thread: 20 })
    const sealing = place.recorder(recorder, 20)
    const key = await place.seals.keyFor('S20')
    const recording = recorder.open(facts(place.at.instance, { sessionId: 'S20' }))
    const sealer = sealing.open(key, recording)
    const folder = join(place.at.spool, 'sealed')
    renameSync(folder, `${folder}.away`)
    writeFileSync(folder, '')
    try {
      put(sealer, 0, 'first')
      expect(() => sealing.flush()).toThrow(/sealed/)
      expect(sealing.pending).toBe(true)
      put(sealer, 1, 'second')
      expect(() => sealing.flush()).toThrow(/sealed/)
      // Not an event that would speak of what is not there.
      expect(recorder.pending).toBe(false)
    } finally {
      renameSync(folder, `${folder}.file`)
      renameSync(`${folder}.away`, folder)
    }
    sealing.flush()
    sealing.finish(sealer)
    recording.moment({ kind: 'close', status: '', text: '' })
    sealing.flush()
    sealing.close()
    recorder.close()
    await until(async () => (await place.rows("sealed WHERE session_id = 'S20'")) === 2)
    await until(async () => (await place.rows("events WHERE session_id = 'S20'")) === 3)
    const { values, findings } = await unseal(await place.release('S20'), ANN.identity)
    expect(findings).toEqual([])
    expect(values.map(({ value }) => `${value}`)).toEqual(['first', 'second'])
  })

  test('goes to the engine in one piece, however small its values are', async () => {
    const recorder = place.at.recorder({ thread: 22 })
    const sealing = place.recorder(recorder, 22)
    const key = await place.seals.keyFor('S22')
    const sealer = sealing.open(key, recorder.open(facts(place.at.instance, { sessionId: 'S22' })))
    for (let row = 0; row < 4000; row++) {
      put(sealer, row, 'x')
      sealing.flush()
    }
    const before = writes()
    sealing.finish(sealer)
    sealing.flush()
    sealing.close()
    recorder.close()
    await until(async () => (await place.rows("sealed WHERE session_id = 'S22'")) >= 4000)
    expect(writes() - before).toBeLessThan(2000)
  })

  test('what a killed run left is shipped once by the next, a torn end cut off', async () => {
    const former = '01AAAAAAAAAAAAAAAAAAAAAAAA'
    const later = new Place()
    const recorder = later.recorder({ thread: 21 })
    const sealing = new SealedRecorder({
      ...{ recorder, clock, spoolFolder: later.spool, instance: former, thread: 21 },
      ...{ bytesMax: 1e9, strict: true, actionBytesMax: 1 << 20 },
    })
    const key = await place.seals.keyFor('S21')
    const recording = recorder.open(facts(later.instance, { sessionId: 'S21' }))
    put(sealing.open(key, recording), 0, 'before the kill')
    sealing.flush()
    // As a kill leaves it: still open, and half a record behind it.
    const [name] = readdirSync(join(later.spool, 'sealed'))
    writeFileSync(join(later.spool, 'sealed', name!), Buffer.from([0, 0, 1, 0, 9]), { flag: 'a' })
    const next = later.ship()
    const count = async () =>
      Number((await later.rows(next, 'SELECT count() AS n FROM sluice.sealed'))[0]?.n)
    await until(async () => (await count()) === 1)
    // The segment goes once its rows were counted.
    await until(() => readdirSync(join(later.spool, 'sealed')).length === 0)
    expect(later.said.filter((line) => line.includes('.bad'))).toEqual([])
    await later.close()
  }, 180_000)
})
