/** IO. A stage whose masked results may be of any size, for tests of what the gateway holds of them. */
import { type Stage, startStage } from './stage.ts'
import { bind, execute, parse, query, SYNC } from './wire-client.ts'

/** What must not come, and what must. */
export const SECRET = 'zq-held-secret'
export const CARD = 'zq-held-card'
const MAIL = 'zed.planted@example.net'
export const LOOK_FOR = [SECRET, MAIL, CARD, '****']

const ROW_BYTES = 1000

const POLICY = `
apiVersion: sluice/v1
kind: Policy
name: hide
applies: { connections: [hidden] }
masks:
  - { columns: ["public.*.secret"], with: { partial: { keep_last: 1 } } }
  - { columns: ["public.*.doc->'card'"], with: redact }
  - { detect: [email], with: redact }
`

/** Tables `big`, of 100 rows to be multiplied, and `huge`, for one row. Connection `hidden` has the masks. */
export async function maskedResults(): Promise<Stage> {
  const stage = await startStage({
    gateway: { policies: { 'hide.yaml': POLICY } },
    aliases: ['hidden'],
  })
  stage.server.sql(
    `SET SESSION AUTHORIZATION app; CREATE TABLE big (id int, secret text, doc jsonb, note text);
     INSERT INTO big SELECT n, '${SECRET}' || repeat('s', ${ROW_BYTES - 200}),
       '{"card": "${CARD}", "n": 1}', 'to ${MAIL} ' || repeat('n', 100) FROM generate_series(1, 100) n;
     CREATE TABLE huge (id int, secret text, doc jsonb);
     ALTER TABLE huge ALTER secret SET STORAGE EXTERNAL`,
    'shop',
  )
  return stage
}

/** Every form in which so much comes down: what it is, and the frames that ask for it. */
export function forms(mib: number): [what: string, frames: Buffer[]][] {
  const many = `SELECT big.* FROM big, generate_series(1, ${Math.ceil((mib * 2 ** 20) / ROW_BYTES / 100)})`
  return [
    ['rows in text', [query(many)]],
    ['rows in binary', [parse(many), bind({ binary: true }), execute(), SYNC]],
    ['COPY in text', [query(`COPY (${many}) TO STDOUT`)]],
    ['COPY in csv', [query(`COPY (${many}) TO STDOUT (FORMAT csv)`)]],
    ['COPY in binary', [query(`COPY (${many}) TO STDOUT (FORMAT binary)`)]],
  ]
}
