/** IO. Fills the demo's database once: role `app`, database `demo`, sample tables that `app` owns. */
import { readFileSync } from 'node:fs'
import { connect } from './client.ts'
import { SUPERUSER } from './postgres.ts'

export const APP_USER = 'app'
export const DATABASE = 'demo'
/** Stands as the comment on the database when it is full; another text there makes it anew. */
const FILLED = 'Sluice sample data, version 1'

export interface FillOptions {
  readonly port: number
  readonly superuserPassword: string
  readonly appPassword: string
}

/** True when it had to be filled. Interrupted, it starts over the next time. */
export async function fill(options: FillOptions): Promise<boolean> {
  const { port, superuserPassword: password } = options
  const server = { host: '127.0.0.1', port, user: SUPERUSER, password }
  const admin = await connect({ ...server, database: 'postgres' })
  try {
    const found = await admin.query(
      "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
      [DATABASE],
    )
    if (found.rows[0]?.comment === FILLED) return false
    await admin.query(`drop database if exists ${DATABASE} with (force)`)
    await admin.query(`drop role if exists ${APP_USER}`)
    // Base64url holds nothing that would end the literal.
    await admin.query(`create role ${APP_USER} login password '${options.appPassword}'`)
    await admin.query(`create database ${DATABASE} owner ${APP_USER}`)
    const app = { ...server, user: APP_USER, password: options.appPassword, database: DATABASE }
    const owner = await connect(app)
    try {
      const sample = readFileSync(new URL('sample.sql', import.meta.url), 'utf8')
      // One message is one transaction.
      await owner.query(`set synchronous_commit = off;\n${sample}`)
    } finally {
      await owner.end()
    }
    await admin.query(`comment on database ${DATABASE} is '${FILLED}'`)
    return true
  } finally {
    await admin.end()
  }
}
