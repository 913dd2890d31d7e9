/**
 * IO. The life of one connection, top to bottom. Each step is one folder of the same name.
 *
 *   accept → hello → identify → admit → (wait for a place) → record → dial → relay (decide, mask) → close
 *
 * `await` lives here, before the relay; inside the relay each chunk is worked off synchronously.
 */
import { Handshake, PeerGone } from './accept/handshake.ts'
import type { Wire } from './accept/wire.ts'
import { GatewayError } from './base/errors.ts'
import { admit } from './decide/grant.ts'
import type { Claim, Protocol } from './protocols/protocol.ts'
import type { ConnectionTask } from './threads/messages.ts'
import type { SessionWorker } from './threads/worker.ts'

/** Most bytes a client may send before it is asked for them. */
const HELLO_BYTES_MAX = 32 << 10

/** Settles when the connection is closed. Never rejects: what goes wrong is told to the client and recorded. */
export async function session(
  wire: Wire,
  task: ConnectionTask,
  worker: SessionWorker,
): Promise<void> {
  const protocol = worker.protocolOf(task.listener)
  const client = new Handshake(wire, HELLO_BYTES_MAX)
  const stop = worker.limitHandshake(client)
  let { address } = task
  let claim: Claim | undefined
  let leave = () => {}
  try {
    const from = await worker.origin(client, task)
    address = from.address
    claim = await protocol.hello(client, worker.door(from))
    if (claim === undefined) return
    const identity = await worker.identify(claim, address)
    const grant = admit(worker.config, identity, claim)
    if (grant === undefined) {
      throw new GatewayError('GW_NOT_ALLOWED', `no grant for ${claim.connection}`)
    }
    leave = await worker.places.take(grant.connection)
    const key = worker.seals ? await worker.sealKey() : undefined
    client.expectPeer() // Who has left meanwhile is not dialled for.
    const opened = worker.record(grant, claim, address, key) // No recording, no session.
    stop() // The client has done its part; the dial has a time of its own.
    const { control } = worker
    const said = claim
    try {
      const upstream = await client.whilePresent((left) =>
        protocol.dial(said, grant, { control, left }),
      )
      opened.reason = await protocol.relay(worker.lend(opened, { client, upstream, claim, grant }))
    } catch (error) {
      opened.reason = error instanceof PeerGone ? 'client closed' : GatewayError.from(error).code
      throw error
    } finally {
      worker.close(opened)
    }
  } catch (error) {
    if (!(error instanceof PeerGone)) refuse(error, { protocol, wire, claim, address, worker })
  } finally {
    leave()
    stop()
    await closed(wire)
  }
}

function refuse(
  cause: unknown,
  parts: {
    protocol: Protocol
    wire: Wire
    claim: Claim | undefined
    address: string
    worker: SessionWorker
  },
): void {
  const error = GatewayError.from(cause)
  parts.worker.refused(error, parts.claim, {
    address: parts.address,
    protocol: parts.protocol.name,
  })
  parts.protocol.refuse(parts.wire, error)
}

/** Lets the last bytes go out, and does not wait for ever for the peer to take them. */
function closed(wire: Wire): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => wire.destroy(), LINGER_MS)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    wire.end()
    wire.listen({ bytes() {}, end() {}, drained() {}, closed: done })
  })
}

const LINGER_MS = 2_000
