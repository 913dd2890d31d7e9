/**
 * IO. What the gateway is measured beside, started by the bench: PgBouncer (session pooling), HAProxy (tcp) and the bare
 * splice, each on one free port in front of the same PostgreSQL.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, start } from '../../test/lib/child.ts'
import { freePort } from '../../test/lib/free-port.ts'
import { give, serverIds } from '../../test/lib/server-user.ts'
import type { Door } from '../pgbench.ts'

export interface Peer {
  readonly door: Door
  stop(): Promise<void>
}

/** Session pooling: a client keeps its server connection, as behind the gateway. */
export async function startPgBouncer(direct: Door): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-'))
  const port = await freePort()
  const users = join(folder, 'users')
  const config = join(folder, 'pgbouncer.ini')
  writeFileSync(users, `"${direct.user}" "${direct.password}"\n`)
  writeFileSync(
    config,
    [
      '[databases]',
      `${direct.database} = host=${direct.host} port=${direct.port} dbname=${direct.database}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
      `auth_type = scram-sha-256\nauth_file = ${users}`,
      'pool_mode = session\ndefault_pool_size = 50\nmax_client_conn = 1000',
      'ignore_startup_parameters = extra_float_digits\nlog_connections = 0\nlog_disconnections = 0',
    ].join('\n'),
  )
  give(folder)
  const child = start('/usr/sbin/pgbouncer', [config], { ...serverIds() })
  return upAs({ child, ready: /process up/, door: { ...direct, port }, folder })
}

export async function startHaproxy(direct: Door): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-haproxy-'))
  const port = await freePort()
  const config = join(folder, 'haproxy.cfg')
  writeFileSync(
    config,
    [
      'global\n  nbthread 1\n  maxconn 2000',
      'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 5m\n  timeout server 5m',
      `listen bench\n  bind 127.0.0.1:${port}\n  server target ${direct.host}:${direct.port}\n`,
    ].join('\n'),
  )
  const child = start('/usr/sbin/haproxy', ['-f', config, '-db', '-V'])
  return upAs({ child, ready: /started|ready|Using epoll/i, door: { ...direct, port }, folder })
}

export async function startSplice(direct: Door): Promise<Peer> {
  const port = await freePort()
  const entry = fileURLToPath(new URL('splice.js', import.meta.url))
  const child = start(process.execPath, [entry, String(port), String(direct.port), '1'])
  return upAs({ child, ready: /splice ready/, door: { ...direct, port }, folder: undefined })
}

async function upAs(made: {
  child: Child
  ready: RegExp
  door: Door
  folder: string | undefined
}): Promise<Peer> {
  const stop = async (): Promise<void> => {
    await made.child.stop('SIGTERM', 2000)
    if (made.folder !== undefined) rmSync(made.folder, { recursive: true, force: true })
  }
  try {
    await made.child.until(made.ready)
  } catch (error) {
    await stop()
    throw error
  }
  return { door: made.door, stop }
}
