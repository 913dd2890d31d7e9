/** IO (a temporary folder). A small configuration with one listener on a free port of the loopback. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/shape.ts'

export function configOf(change: Partial<Config> = {}): Config {
  return {
    path: undefined,
    data: join(mkdtempSync(join(tmpdir(), 'sluice-threads-')), 'var'),
    workers: 2,
    control: { listen: { host: '127.0.0.1', port: 0 }, publicUrl: undefined, metricsFrom: [] },
    state: { embedded: true },
    recorder: {
      store: { embedded: true },
      durability: 'standard',
      responseBytesMax: 1 << 20,
      retentionDays: 400,
      spoolBytesMax: 1 << 30,
      spoolEncrypt: undefined,
      ratchet: true,
      anchors: [],
      seal: undefined,
    },
    listeners: [
      {
        protocol: 'postgres',
        listen: { host: '127.0.0.1', port: 0 },
        tls: undefined,
        plaintextFrom: ['127.0.0.0/8'],
        proxyProtocolFrom: [],
      },
    ],
    connections: new Map(),
    roles: new Map(),
    policies: [],
    limits: {
      statementBytesMax: 1 << 20,
      connections: 20_000,
      connectionsPerAddress: 20_000,
      handshakeMs: 10_000,
      idleMs: 3_600_000,
      sessionMaxMs: 28_800_000,
    },
    ...change,
  }
}
