import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, start } from '../lib/child.ts'
import { type Stage, type StageRole, startStage } from '../lib/stage.ts'

let stage: Stage
const folder = mkdtempSync(join(tmpdir(), 'sluice-psql-'))
const environment = { ...process.env, PGCONNECT_TIMEOUT: '10', PAGER: 'cat', LC_ALL: 'C.UTF-8' }

beforeAll(async () => {
  stage = await startStage()
})
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function psql(url: string, input: string, ...flags: string[]) {
  return run('psql', ['-X', ...flags, url], { input, env: environment, timeoutMs: 60_000 })
}

/** The same script to the database itself and through the gateway. */
async function both(role: StageRole, input: string, connection = 'shop') {
  const direct = await psql(stage.direct, input)
  const through = await psql(stage.url(role, connection), input)
  return { direct, through }
}

describe('psql shows the same as on the database itself', () => {
  const commands = [
    '\\d',
    '\\d+',
    '\\d customers',
    '\\d+ orders',
    '\\d order_totals',
    '\\dt+',
    '\\di+',
    '\\dv+',
    '\\ds',
    '\\df',
    '\\df+ plus_one',
    '\\sf plus_one',
    '\\dT+',
    '\\dn+',
    '\\du+',
    '\\dp',
    '\\dx',
    '\\do ||',
    '\\da max',
    '\\db',
    '\\dc',
    '\\dC',
    '\\dd',
    '\\ddp',
    '\\dL',
    '\\dO',
    '\\dP',
    '\\drds',
    '\\dRp',
    '\\dy',
    '\\l+',
    '\\sv order_totals',
    '\\z',
  ]
  const script = commands.map((command) => `\\echo ===\n${command}\n`).join('')
  const sections = (shown: string) => shown.split('===\n').slice(1)

  test.each(['shop', 'masked'])('in all its descriptions, on %s', async (connection) => {
    const { direct, through } = await both('read', script, connection)
    expect(through.stderr).toBe(direct.stderr)
    const [ours, theirs] = [sections(through.stdout), sections(direct.stdout)]
    expect(theirs).toHaveLength(commands.length)
    commands.forEach((command, i) => {
      expect([command, ours[i]]).toEqual([command, theirs[i]])
    })
  })

  test.each([
    'SELECT * FROM customers WHERE id < 5;',
    'SELECT * FROM order_totals ORDER BY 1 LIMIT 3 \\gx',
    'SELECT id, name FROM customers WHERE id < 3 \\gdesc',
    "SELECT 'SELECT ' || n || ';' FROM generate_series(1, 3) n \\gexec",
    'SELECT id AS found FROM customers WHERE id = 7 \\gset\nSELECT :found;',
    'SELECT made::date IS NOT NULL AS m, count(*) FROM orders GROUP BY 1 \\crosstabview',
    '\\timing off\n\\set n 3\nSELECT plus FROM generate_series(1, :n) plus;',
    '\\bind 4\nSELECT 1;',
    'BEGIN; SELECT 1; COMMIT;',
    'SELECT 1; SELECT 2; SELECT 3;',
    'SELECT 1\\; SELECT 2\\; SELECT 3;',
    '\\set FETCH_COUNT 100\nSELECT id FROM customers ORDER BY id;',
    '\\set AUTOCOMMIT off\nSELECT 1;\nSELECT 2;\nROLLBACK;',
    '\\encoding',
    '\\set VERBOSITY verbose\nSELECT 1 / 0;',
    'SELECT nothing FROM customers;',
    'BEGIN;\nSELECT 1 / 0;\nSELECT 1;\nROLLBACK;\nSELECT 2;',
    '\\set ON_ERROR_ROLLBACK on\nBEGIN;\nSELECT 1 / 0;\nSELECT 1;\nCOMMIT;',
    'EXPLAIN (COSTS OFF) SELECT * FROM customers WHERE id = 3;',
    'DECLARE c CURSOR FOR SELECT 1;',
    'BEGIN; DECLARE c CURSOR FOR SELECT id FROM customers ORDER BY 1; FETCH 3 FROM c; CLOSE c; END;',
    'SHOW server_version;',
    "COPY (SELECT 1, 'a') TO STDOUT;",
    '',
    ';',
    "SELECT E'\\\\x41'::bytea, NULL, '';",
  ])('%s', async (typed) => {
    const { direct, through } = await both('read', `${typed}\n`)
    expect(through.stderr.replaceAll(/\w+\.c:\d+/g, '')).toBe(
      direct.stderr.replaceAll(/\w+\.c:\d+/g, ''),
    )
    expect(through.stdout).toBe(direct.stdout)
    expect(through.code).toBe(direct.code)
  })

  test('\\conninfo names the gateway, and the prompt the connection', async () => {
    const { stdout } = await psql(stage.url('read'), '\\conninfo\n')
    expect(stdout).toContain(`You are connected to database "shop" as user "agent"`)
    expect(stdout).toContain(`port "${stage.gateway.port}"`)
  })
})

/** Presses keys at a terminal as a person would; answers all that was shown. */
async function atTerminal(url: string, keys: readonly [until: string, keys: string][]) {
  const script = `
import os, pty, sys, json, select, time
steps = json.loads(sys.argv[2])
pid, fd = pty.fork()
if pid == 0:
    os.execvp('psql', ['psql', '-X', '-P', 'pager=off', sys.argv[1]])
seen = b''
at = 0
deadline = time.time() + 15
for until, keys in steps + [['', '\\\\q\\n']]:
    while until.encode() not in seen[at:]:
        if time.time() > deadline: sys.exit('never saw ' + until + ': ' + repr(seen[at:]))
        if select.select([fd], [], [], 0.2)[0]:
            try: seen += os.read(fd, 65536)
            except OSError: break
    at = len(seen)
    if keys == '\\x03': time.sleep(0.5)
    os.write(fd, keys.encode())
while True:
    try: more = os.read(fd, 65536)
    except OSError: break
    if not more: break
    seen += more
sys.stdout.write(seen.decode('utf8', 'replace'))
`
  const env = { ...environment, TERM: 'dumb', INPUTRC: '/dev/null' }
  const args = ['-c', script, url, JSON.stringify(keys)]
  const { stdout, stderr } = await run('/usr/bin/python3', args, { env })
  expect(stderr).toBe('')
  return stdout
}

test('tab completion at a terminal finds tables, columns and functions', async () => {
  const shown = await atTerminal(stage.url('read'), [
    ['=>', 'SELECT 40 + 2 FROM custo\t'],
    ['customers', ' WHERE bor\t'],
    ['born', " = '1980-01-08';\n"],
    ['(1 row)', 'SELECT 1 FROM order_t\t'],
    ['order_totals', 'LIMIT 1;\n'],
    ['(1 row)', '\\df plus\t'],
    ['plus_one', '\n'],
    ['(1 row)', 'SET statement_t\t'],
    ['timeout', " TO '7s';\n"],
    ['SET', ''],
  ])
  expect(shown).toContain('42')
  expect(shown).not.toContain('ERROR')
})

describe('\\copy', () => {
  const rows = 100_000
  const path = join(folder, 'rows.csv')
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')

  test('loads 100,000 rows and gives them back, byte for byte', async () => {
    stage.server.sql('CREATE TABLE bulk (id int, text text); ALTER TABLE bulk OWNER TO app', 'shop')
    const csv = Array.from({ length: rows }, (_, i) => `${i},"row ${i}, ""quoted"""\n`).join('')
    writeFileSync(path, csv)
    const loaded = await psql(stage.url('write'), `\\copy bulk FROM '${path}' CSV\n`)
    expect([loaded.stderr, loaded.stdout]).toEqual(['', `COPY ${rows}\n`])
    const back = join(folder, 'back.csv')
    const query = 'SELECT * FROM bulk ORDER BY id'
    const saved = await psql(
      stage.url('read'),
      `\\copy (${query}) TO '${back}' (FORMAT csv)\nCOPY (${query}) TO STDOUT (FORMAT binary) \\g ${back}.bin\n`,
    )
    expect(saved.stderr).toBe('')
    const same = await psql(stage.direct, `\\copy (${query}) TO '${back}.direct' CSV\n`)
    expect(same.stderr).toBe('')
    expect(digest(readFileSync(back, 'utf8'))).toBe(digest(readFileSync(`${back}.direct`, 'utf8')))
    expect(readFileSync(`${back}.bin`).length).toBeGreaterThan(rows * 20)
  })

  test('a wrong row is the target’s error with its context, and the session goes on', async () => {
    const wrong = join(folder, 'wrong.csv')
    writeFileSync(wrong, '1,a\nx,b\n')
    const { direct, through } = await both('write', `\\copy bulk FROM '${wrong}' CSV\nSELECT 1;\n`)
    expect(through.stderr).toBe(direct.stderr)
    expect(through.stderr).toContain('CONTEXT:  COPY bulk, line 2')
    expect(through.stdout).toBe(direct.stdout)
  })

  test('loading is refused to a role that may only read, and the session goes on', async () => {
    const refused = await psql(stage.url('read'), `\\copy bulk FROM '${path}' CSV\nSELECT 1;\n`)
    expect(refused.stderr).toContain('ERROR')
    expect(refused.stdout).toContain('(1 row)')
  })
})

test('a refusal shows the sentence, the machine’s part and where the text is not understood', async () => {
  const denied = await psql(stage.url('read'), '\\set VERBOSITY verbose\nDROP TABLE orders;\n')
  expect(denied.stderr).toMatch(
    /ERROR: {2}42501: .+\nDETAIL: {2}\{"sluice":\{"verdict":"not_allowed"/,
  )
  const unknown = await psql(stage.url('read'), 'SELECT 1 FORM orders;\n')
  expect(unknown.stderr).toMatch(/syntax error[\s\S]*LINE 1: SELECT 1 FORM orders;\n +\^/)
})

test('Ctrl-C cancels what runs, and the session goes on', async () => {
  const child = start(
    'psql',
    [
      '-X',
      '-At',
      '-c',
      'SELECT pg_sleep(30)',
      '-c',
      "SELECT 'still ' || 'here'",
      stage.url('read'),
    ],
    { env: environment },
  )
  const running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"
  await expect.poll(() => stage.server.sql(running), { timeout: 10_000 }).toBe('1')
  const began = Date.now()
  child.process.kill('SIGINT')
  await child.until(/canceling statement due to user request/)
  expect(Date.now() - began).toBeLessThan(5_000)
  await child.stop()
  // At a terminal the session survives the cancel.
  const shown = await atTerminal(stage.url('read'), [
    ['=>', 'SELECT pg_sleep(60);\n'],
    ['pg_sleep(60);', '\x03'],
    ['canceling statement', "SELECT 'still ' || 'here';\n"],
    ['still here', ''],
  ])
  expect(shown).toContain('canceling statement due to user request')
  expect(shown).toContain('still here')
})

test('LISTEN hears what another session notifies', async () => {
  const heard = await psql(
    stage.url('write'),
    `LISTEN news;\nNOTIFY news, 'own';\n\\! psql -Xqc "NOTIFY news, 'other'" '${stage.url('write')}'\nSELECT 1;\n`,
  )
  expect(heard.stdout).toMatch(
    /notification "news" with payload "own" received from server process/,
  )
  expect(heard.stdout).toMatch(/notification "news" with payload "other"/)
})

describe('a million rows', () => {
  const query = "SELECT n, repeat('x', 200) FROM generate_series(1, 1000000) n"
  const memory = () => {
    const status = readFileSync(`/proc/${stage.gateway.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
  }

  test('stream through in bounded memory, whether or not the client keeps up', async () => {
    const before = memory()
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, memory())
    }, 50)
    const reader = start(
      'bash',
      [
        '-c',
        `psql -XAtq -c "COPY (${query}) TO STDOUT" "$1" | (sleep 2; wc -lc)`,
        'bash',
        stage.url('read'),
      ],
      { env: environment },
    )
    const waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'"
    await expect.poll(() => stage.server.sql(waits), { timeout: 10_000 }).toBe('1')
    const [, lines, bytes] = await reader.until(/(\d+) +(\d+)/, 60_000)
    clearInterval(watch)
    expect([lines, bytes]).toEqual(['1000000', '207888896'])
    expect(most - before).toBeLessThan(200)
  })

  test('as rows of a query too, masked or not', async () => {
    for (const connection of ['shop', 'masked']) {
      const before = memory()
      const script = `\\set FETCH_COUNT 20000\nSELECT n, repeat('y', 50) FROM generate_series(1, 300000) n;\n`
      const { stdout } = await psql(stage.url('read', connection), script, '-At')
      expect(stdout.length).toBeGreaterThan(300_000 * 50)
      expect(memory() - before).toBeLessThan(200)
    }
  })
})
