/**
 * IO (sockets, files). What the ship thread does about privacy: looks for what is past retention and deletes it, erases, and keeps
 * holds where other gateways see them. Whether it may is judged and recorded by who asks (control/privacy.ts).
 */
import type { ClickHouse } from './clickhouse.ts'
import { Erasure } from './erasure.ts'
import { storeHold } from './holds.ts'
import type { Notary } from './notary.ts'
import type { PrivacyAnswer, PrivacyRequest, ShipWorkerData } from './ship-messages.ts'
import { spoolFiles } from './spool.ts'
import { Sweep } from './sweep.ts'

export interface PrivacyParts {
  readonly data: ShipWorkerData
  readonly database: string
  readonly notary: Notary
  readonly store: () => Promise<ClickHouse>
}

/** Rejects with StoreError, or with an error whose message is for who asked. `reader`: its current database is ours. */
export async function answerPrivacy(
  request: PrivacyRequest,
  reader: ClickHouse,
  { data, database, notary, store }: PrivacyParts,
): Promise<PrivacyAnswer> {
  const { id } = request
  const cluster = data.store.embedded ? undefined : data.store.cluster
  const tables = { database, cluster }
  switch (request.type) {
    case 'sweep': {
      const { gateway, chainFolder } = data
      const sweep = new Sweep({ ...tables, gateway, chainFolder })
      // A clock that stands ahead does not delete what is not past its time.
      const now = Math.min(request.request.now, notary.believed.now())
      const asked = { ...request.request, now }
      if (request.isLook)
        return { type: 'swept', id, swept: await sweep.look(await store(), asked) }
      // What excuses the deletion is signed before it is done.
      notary.chain.retention = asked.retention
      await notary.copyNow()
      const swept = await sweep.run(await store(), notary.chain, asked)
      return { type: 'swept', id, swept }
    }
    case 'erasure': {
      await notary.settle()
      const found = await new Erasure(reader, tables).look(request.request, notary.chain)
      const aside = spoolFiles(data.spoolFolder).filter((name) => name.endsWith('.bad')).length
      return { type: 'erasure', id, found, aside }
    }
    case 'erase': {
      const { chains } = request
      // What excuses it is signed, and copied, before anything is gone: whoever verifies meanwhile finds nothing amiss.
      await notary.settle()
      const sessions = await new Erasure(reader, tables).run(request.request, chains, notary.chain)
      return { type: 'erased', id, sessions }
    }
    case 'hold':
      await storeHold(await store(), database, { ...request.change, gateway: data.gateway })
      return { type: 'held', id }
    default:
      return request satisfies never
  }
}
