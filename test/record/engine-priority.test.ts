import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { defer, mayDefer } from '../../src/record/engine-priority.ts'

let child: ChildProcess | undefined
afterEach(() => void child?.kill('SIGKILL'))

/** Nice value and policy of each thread: fields 19 and 41 of its stat. */
function threadsOf(pid: number): { nice: number; policy: number }[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    const fields = stat.substring(stat.lastIndexOf(')') + 2).split(' ')
    return { nice: Number(fields[16]), policy: Number(fields[38]) }
  })
}

test('all threads of a process step back and come again', async () => {
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'])
  await new Promise((resolve) => child!.stdout!.once('data', resolve))
  const pid = child.pid!
  expect(threadsOf(pid).length).toBeGreaterThan(1)
  for (const deferred of mayDefer() ? [true, false] : [false]) {
    defer(pid, deferred)
    for (const thread of threadsOf(pid))
      expect(thread).toEqual({ nice: 10, policy: deferred ? 5 : 0 })
  }
})

test('a thread that starts while the others are set is set too', async () => {
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'])
  await new Promise((resolve) => child!.stdout!.once('data', resolve))
  const pid = child.pid!
  let looks = 0
  // The first look comes before the last threads are there.
  const list = () => {
    looks += 1
    const threads = readdirSync(`/proc/${pid}/task`)
    return looks === 1 ? threads.filter((_, at) => at < 2) : threads
  }
  defer(pid, false, list)
  expect(looks).toBe(3)
  expect(threadsOf(pid).filter(({ nice }) => nice !== 10)).toEqual([])
})

test('a process that has ended is no error', async () => {
  child = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => child!.once('exit', resolve))
  expect(() => defer(child!.pid!, true)).not.toThrow()
})
