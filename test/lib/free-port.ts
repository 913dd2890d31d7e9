/**
 * IO. Ports that nothing listens on, each for one caller alone.
 *
 * Between the answer and the moment somebody listens there pass seconds, in which test files run beside each other. So
 * none of these ports is one that the kernel gives to whoever asks for any, and each is held until this process ends: by
 * a UDP socket of the same number, which no server of ours wants and which goes with the process however it ends.
 */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const HOST = '127.0.0.1'
const [LOWEST, HIGHEST] = [15_000, 65_535]
/** Enough for all that a machine runs at once. */
const SPAN_MIN = 2000
const TRIES_MAX = 200

export async function freePort(): Promise<number> {
  const [from, to] = span()
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = randomInt(from, to)
    if ((await isClaimed(port)) && (await isFree(port))) return port
  }
  throw new Error(`no free port between ${from} and ${to}`)
}

/** Below what the kernel picks from for connections and for port 0, or above it, or, where that is nearly all, anywhere. */
function span(): readonly [number, number] {
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  const [low = LOWEST, high = HIGHEST] = range.trim().split(/\s+/).map(Number)
  if (low - LOWEST >= SPAN_MIN) return [LOWEST, low]
  if (HIGHEST - high >= SPAN_MIN) return [high + 1, HIGHEST + 1]
  return [LOWEST, HIGHEST + 1]
}

/** From now on until this process ends. */
function isClaimed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const claim = createSocket('udp4')
    claim.unref()
    claim.once('error', () => {
      claim.close()
      resolve(false)
    })
    claim.bind({ port, address: HOST, exclusive: true }, () => resolve(true))
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
