/**
 * IO. What most tests with real clients need: a PostgreSQL that logs every statement, a database with some tables, a
 * gateway before it, and one token for each role.
 */
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
import { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'

/** Roles by what they allow. */
const ALLOWED = {
  read: ['read'],
  write: ['read', 'write'],
  schema: ['read', 'write', 'schema'],
  all: ['read', 'write', 'schema', 'transfer', 'execute', 'admin', 'opaque'],
} as const

export type StageRole = keyof typeof ALLOWED

const PASSWORD = 'app-secret-7f3a'

const SCHEMA = `
CREATE TABLE customers (
  id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, born date, score numeric, tags text[]);
CREATE TABLE orders (
  id bigserial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, total numeric(10,2),
  made timestamptz NOT NULL DEFAULT now(), note jsonb);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE VIEW order_totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;
CREATE FUNCTION plus_one(n int) RETURNS int LANGUAGE sql AS 'SELECT n + 1';
CREATE TYPE mood AS ENUM ('good', 'bad');
INSERT INTO customers SELECT n, 'Name ' || n, 'c' || n || '@example.com', date '1980-01-01' + n,
  n / 7.0, ARRAY['a' || n, 'b'] FROM generate_series(1, 1000) n;
INSERT INTO orders (customer_id, total, note) SELECT n % 1000 + 1, n * 1.25,
  jsonb_build_object('n', n) FROM generate_series(1, 3000) n;
ANALYZE;
`

/** On connection `masked` only. */
const MASKS = `
apiVersion: sluice/v1
kind: Policy
name: stage
applies: { connections: [masked] }
masks:
  - { columns: [public.customers.email], with: redact }
`

export interface Stage {
  readonly server: Postgres
  readonly gateway: Gateway
  readonly tokens: Readonly<Record<StageRole, string>>
  /** Through the gateway; `shop` has no masks, `masked` is the same database with some; or `shop/<database>`. */
  url(role: StageRole, connection?: string): string
  /** To the database itself, as the user that the gateway is there. */
  readonly direct: string
  stop(): Promise<void>
}

export interface StageOptions {
  readonly postgres?: PostgresOptions
  readonly gateway?: Partial<GatewayOptions>
  /** More databases of the same server, empty ones, behind the connection `shop`. */
  readonly databases?: readonly string[]
  /** More names of the connection `shop`, for policies to tell apart. */
  readonly aliases?: readonly string[]
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const config = ["log_statement = 'all'", ...(options.postgres?.config ?? [])]
  const server = await startPostgres({ ...options.postgres, config })
  server.sql(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'; CREATE DATABASE shop OWNER app`)
  const direct = `postgres://app:${PASSWORD}@127.0.0.1:${server.port}/shop`
  server.sql('ALTER SCHEMA public OWNER TO app', 'shop')
  server.sql(`SET SESSION AUTHORIZATION app; ${SCHEMA}`, 'shop')
  const databases = options.databases ?? []
  for (const name of databases) server.sql(`CREATE DATABASE ${name} OWNER app`)
  const more = { databases: ['shop', ...databases] }
  const shop = { server, database: 'shop', user: 'app', password: PASSWORD, more }
  const names = ['shop', 'masked', ...(options.aliases ?? [])]
  const named = Object.fromEntries(names.map((name) => [name, shop]))
  let gateway: Gateway
  try {
    gateway = await startGateway({
      roles: Object.fromEntries(
        Object.entries(ALLOWED).map(([name, allow]) => [
          name,
          { members: [`subject:${name}`], connections: ['*'], allow },
        ]),
      ),
      policies: { 'stage.yaml': MASKS },
      ...options.gateway,
      connections: { ...named, ...options.gateway?.connections },
    })
  } catch (error) {
    await server.stop()
    throw error
  }
  const issued = Object.keys(ALLOWED).map(async (name) => {
    return [name, await gateway.token({ subject: name })] as const
  })
  const tokens = Object.fromEntries(await Promise.all(issued)) as Stage['tokens']
  return {
    server,
    gateway,
    tokens,
    direct,
    url: (role, connection = 'shop') => gateway.url(tokens[role], encodeURIComponent(connection)),
    stop: async () => {
      await gateway.stop()
      await server.stop()
    },
  }
}
