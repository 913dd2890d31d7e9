/** IO. PostgreSQL as the core sees it. */
import { clock } from '../../base/clock.ts'
import type { Protocol } from '../protocol.ts'
import { CatalogueStore } from './catalogues.ts'
import { dial, type PostgresUpstream } from './dial.ts'
import { hello } from './login.ts'
import { ParseThread } from './parse-pool.ts'
import { relay } from './relay.ts'
import { FactsCache } from './sql/facts-cache.ts'
import { loadParser } from './sql/parse.ts'
import { fatalFrame } from './write.ts'

function later(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms).unref()
  return () => clearTimeout(timer)
}

/** Texts whose facts are kept, per worker. */
const FACTS_MAX = 10_000

/** One per worker: what its sessions share lives as long as it does. */
export async function postgres(parseEntry: string): Promise<Protocol<PostgresUpstream>> {
  await loadParser()
  const catalogues = new CatalogueStore(clock, later)
  const facts = new FactsCache({ entriesMax: FACTS_MAX })
  const parser = new ParseThread({ entry: parseEntry })
  const shared = { catalogues, facts, masks: new Map(), parser }
  return {
    name: 'postgres',
    hello,
    dial: (claim, grant, { control, left }) => dial(claim, grant, control, { left }),
    relay: (parts) => relay(parts, shared),
    refuse: (client, error) => {
      const frame = fatalFrame(error)
      client.write(frame, 0, frame.length)
    },
    catalogueChanged: (_connection, database) => catalogues.staleAll(database),
  }
}
