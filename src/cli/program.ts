/**
 * IO. The commands of `sluice` and their flags. The only door to commander. Each verb's file is loaded when it is used,
 * so that `token issue` does not wait for the parsers of a gateway.
 */
import { Command, CommanderError } from 'commander'
import { StartError } from '../threads/start-error.ts'
import { CliError, type ExitCode } from './exit.ts'
import { say } from './output.ts'
import { printable } from './table.ts'

/** Names of flags are checked by commander, their values by what they are sent to. */
interface Flags {
  readonly config?: string
  readonly url?: string
  readonly json?: boolean
  readonly limit?: string
}

type Act = (flags: Flags, words: readonly string[]) => Promise<ExitCode | undefined> | Promise<void>

/** Never rejects. `given`: the arguments after the program's name. */
export async function run(given: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = 0
  const program = new Command('sluice')
    .description('Layer 7 gateway between AI agents and what they touch.')
    .option('--config <file>', 'configuration; default $SLUICE_CONFIG, then ./sluice.yaml')
    .option('--url <url>', 'control address of a gateway elsewhere; the token from $SLUICE_TOKEN')
    .option('--json', 'print JSON')
    .exitOverride()
    .configureOutput({ writeOut: (text) => say(text), writeErr: (text) => say(text, 2) })
  const on = (command: Command, act: Act): void => {
    command.action(async () => {
      const flags: Flags = command.optsWithGlobals()
      // Variadic arguments come as lists of their own.
      const words = command.processedArgs.flat().filter((one) => typeof one === 'string')
      code = (await act(flags, words)) ?? 0
    })
  }
  addHost(program, on)
  addTokens(program, on)
  addRecords(program, on)
  addPolicies(program, on)
  try {
    await program.parseAsync([...given], { from: 'user' })
    return code
  } catch (error) {
    return failed(error, program.opts<Flags>().json === true)
  }
}

type On = (command: Command, act: Act) => void

function addHost(program: Command, on: On): void {
  on(program.command('serve').description('run the gateway'), async (flags) => {
    const { serve } = await import('./serve.ts')
    return serve(flags)
  })
  on(
    program.command('check').description('check the configuration and its policies'),
    async (flags) => {
      const { check } = await import('./check.ts')
      check(flags)
    },
  )
  on(program.command('doctor').description('say what this host has and lacks'), async (flags) => {
    const { doctor } = await import('./doctor.ts')
    return doctor(flags)
  })
  on(program.command('whoami').description('say who the credential is'), async (flags) => {
    const { whoami } = await import('./whoami.ts')
    await whoami(flags)
  })
}

function addTokens(program: Command, on: On): void {
  const token = program.command('token').description('gateway tokens')
  const issue = token
    .command('issue')
    .description('issue a token, and print it and nothing else')
    .requiredOption('--subject <name>', 'whom it stands for')
    .option('--kind <kind>', 'human or workload; default workload with --job or --agent')
    .option('--roles <names>', 'narrow to these roles, comma-separated')
    .option('--groups <names>', 'groups of the subject, comma-separated')
    .option('--connections <names>', 'narrow to these connections, comma-separated')
    .option('--job <id>', 'job that everything done with it belongs to')
    .option('--run <id>', 'run of the job')
    .option('--agent <name>', 'agent of the job')
    .option('--owner <name>', 'person who answers for it')
    .option('--from <cidr>', 'addresses that it may be used from')
    .option('--ttl <duration>', 'how long it is good: 15m, 1h, 30d; default 1h')
  on(issue, async (flags) => {
    const { issueToken } = await import('./token.ts')
    await issueToken({ ...flags })
  })
  on(token.command('list').description('list tokens, newest first'), async (flags) => {
    const { listTokens } = await import('./token.ts')
    await listTokens(flags)
  })
  const revoke = token.command('revoke <id>').description('revoke a token and end its sessions')
  on(revoke, async (flags, [id = '']) => {
    const { revokeToken } = await import('./token.ts')
    await revokeToken(id, flags)
  })
}

function addRecords(program: Command, on: On): void {
  const sessions = program.command('sessions').description('sessions, now and before')
  const list = sessions
    .command('list')
    .description('list sessions, newest first')
    .option('--limit <n>', 'how many at most; default 100')
  on(list, async (flags) => {
    const { listSessions } = await import('./sessions.ts')
    await listSessions(flags)
  })
  on(sessions.command('show <id>').description('show one session'), async (flags, [id = '']) => {
    const { showSession } = await import('./sessions.ts')
    await showSession(id, flags)
  })
  on(
    sessions.command('kill <id>').description('end a session at once'),
    async (flags, [id = '']) => {
      const { killSession } = await import('./sessions.ts')
      await killSession(id, flags)
    },
  )
  addReplays(sessions, on)
  const audit = program.command('audit').description('the records')
  const query = audit
    .command('query <sql>')
    .description('run one read-only SQL statement on the records')
  on(query, async (flags, [sql = '']) => {
    const { queryAudit } = await import('./audit.ts')
    await queryAudit(sql, flags)
  })
  addQuestions(audit, on)
  const verify = audit
    .command('verify')
    .description('verify the records: all of them, or what a flag names; exit code 1 if not intact')
    .option('--since <duration>', 'what was recorded since: 1h, 7d')
    .option('--session <id>', 'one session')
    .option('--bundle <file>', 'a file of evidence, without a gateway')
    .option('--anchor <files...>', 'signed heads that were kept elsewhere, one a line')
    .option('--key <ids...>', "ids of the chains' first keys, as you know them from elsewhere")
  on(verify, async (flags) => {
    const { verifyAudit } = await import('./audit.ts')
    return verifyAudit(flags)
  })
  const open = audit
    .command('unseal')
    .description('open the sealed originals of a session, with an approved request')
    .option('--session <id>')
    .option('--request <id>', 'the approved request: req_…')
    .option('--release <file>', 'a release that was kept, in place of asking the gateway')
    .option('--identity <file>', 'your age identity; it stays here')
    .option('--out <file>', 'keep the release, to be opened elsewhere')
  on(open, async (flags) => {
    const { unsealAudit } = await import('./unseal.ts')
    return unsealAudit(flags)
  })
  addPrivacy(audit, on)
  const bundle = audit
    .command('bundle')
    .description('write evidence that can be verified elsewhere, without a gateway')
    .option('--since <duration>', 'what was recorded since: 1h, 7d; default all of it')
    .option('--session <id>', 'one session')
    .option('--out <file>', 'default standard output')
  on(bundle, async (flags) => {
    const { bundleAudit } = await import('./audit.ts')
    await bundleAudit(flags)
  })
}

function addQuestions(audit: Command, on: On): void {
  const search = audit
    .command('search [text]')
    .description(
      'find actions by words of their statements and by what the flags say; newest first',
    )
    .option('--object <name>', 'a table or other object, such as public.customers')
    .option('--subject <name>', 'who')
    .option('--job <id>', 'of which job')
    .option('--connection <name>', 'on which connection')
    .option('--rule <name>', 'rule that spoke of it, as policy/rule')
    .option('--verdict <word>', 'allow, denied, not_allowed, not_understood, over_limit')
    .option('--detector <name>', 'detector or column that masked values of its result')
    .option('--since <when>', 'a moment, or how long ago: 2026-11-01, 24h, 7d')
    .option('--until <when>', 'likewise')
    .option('--limit <n>', 'how many at most; default 100')
    .option('--cursor <cursor>', 'go on where the page before ended')
  on(search, async (flags, [text]) => {
    const { searchAudit } = await import('./questions.ts')
    await searchAudit(text, { ...flags })
  })
  const questions = audit
    .command('questions [id]')
    .description('list the questions that have a name, or ask one by its number or name')
    .option('--with <name=value>', 'fills in a blank; may be repeated', collect)
  on(questions, async (flags, [id]) => {
    const { askQuestion } = await import('./questions.ts')
    await askQuestion(id, { ...flags })
  })
  const save = audit
    .command('save <name> <sql>')
    .description(
      'save a question; blanks are written {name:String}, {name:UInt64}, {name:DateTime64(6)}',
    )
    .option('--asks <text>', 'what it asks, in a sentence')
  on(save, async (flags, [name = '', sql = '']) => {
    const { saveQuestion } = await import('./questions.ts')
    await saveQuestion(name, sql, { ...flags })
  })
  on(
    audit.command('forget <name>').description('forget a saved question'),
    async (flags, [name = '']) => {
      const { forgetQuestion } = await import('./questions.ts')
      await forgetQuestion(name, flags)
    },
  )
}

function addReplays(sessions: Command, on: On): void {
  const replay = sessions
    .command('replay <id>')
    .description('show a session as it went: statements and what the client saw, with its pauses')
    .option('--speed <factor>', 'so many times as fast; 0: without pauses; default 1')
    .option(
      '--from <place>',
      'begin at a time of the session (12s, 5m) or at the number of an event',
    )
    .option('--rows <n>', 'rows of a result that are shown; default 100')
  on(replay, async (flags, [id = '']) => {
    const { replaySession } = await import('./replay.ts')
    await replaySession(id, flags)
  })
  const follow = sessions
    .command('follow <id>')
    .description('show a session that goes on, until it ends')
    .option('--rows <n>', 'rows of a result that are shown; default 100')
  on(follow, async (flags, [id = '']) => {
    const { followSession } = await import('./replay.ts')
    await followSession(id, flags)
  })
  const write = sessions
    .command('export <id>')
    .description('write a session in another form')
    .requiredOption('--format <name>', 'json, csv, asciicast, pcapng, or har where it is HTTP')
    .option('-o, --out <file>', 'default standard output')
  on(write, async (flags, [id = '']) => {
    const { exportSession } = await import('./export.ts')
    await exportSession(id, flags)
  })
}

function addPrivacy(audit: Command, on: On): void {
  const hold = audit.command('hold').description('legal holds: what they keep, nothing deletes')
  const add = hold
    .command('add')
    .description('hold what was and will be recorded of one session, job or subject')
    .option('--session <id>', 'one session')
    .option('--job <id>', 'all of a job')
    .option('--subject <name>', 'all of a subject')
    .requiredOption('--reason <text>', 'why; it is recorded')
  on(add, async (flags) => {
    const { addHold } = await import('./privacy.ts')
    await addHold(flags)
  })
  on(hold.command('list').description('list holds, oldest first'), async (flags) => {
    const { listHolds } = await import('./privacy.ts')
    await listHolds(flags)
  })
  const remove = hold
    .command('remove <id>')
    .description('remove a hold')
    .requiredOption('--reason <text>', 'why; it is recorded')
  on(remove, async (flags, [id = '']) => {
    const { removeHold } = await import('./privacy.ts')
    await removeHold(id, flags)
  })
  const erase = audit
    .command('erase')
    .description('erase what one session, or all of a subject, have said and were shown')
    .option('--session <id>', 'one session')
    .option('--subject <name>', 'all of a subject')
    .requiredOption('--reason <text>', 'why; it is recorded and signed')
    .option('--force', 'also where the record is not as it was signed')
  on(erase, async (flags) => {
    const { erase } = await import('./privacy.ts')
    await erase(flags)
  })
}

function addPolicies(program: Command, on: On): void {
  const policy = program.command('policy').description('policies, without a gateway')
  on(policy.command('check [paths...]').description('check policy files'), async (flags, paths) => {
    const { checkPolicies } = await import('./policy.ts')
    await checkPolicies(paths, flags)
  })
  const tests = policy
    .command('test [paths...]')
    .description('run the tests in policy files')
    .option('--watch', 'run them again whenever a file changes')
    .option('--junit <file>', "write the results as JUnit's XML")
    .option('--schema <file>', 'DDL for files without a schema of their own')
  on(tests, async (flags, paths) => {
    const { testPolicies } = await import('./policy.ts')
    return testPolicies(paths, { ...flags })
  })
  on(policy.command('schema').description('print the JSON schema of policy files'), async () => {
    const { printSchema } = await import('./policy.ts')
    printSchema()
  })
  const explain = policy
    .command('explain [paths...]')
    .description('say what would happen to a statement, and why')
    .requiredOption('--connection <name>', 'connection that it is sent to')
    .requiredOption('--as <subject>', 'who sends it')
    .requiredOption('--statement <sql>', 'the statement; - reads it from standard input')
    .option('--roles <names>', 'held by the subject; default: those its membership gives')
    .option('--groups <names>', 'groups of the subject, comma-separated')
    .option('--kind <kind>', 'human or workload; default workload')
    .option('--job <id>', 'job that it belongs to')
    .option('--database <name>', "default: the connection's own")
    .option('--param <value>', 'value of the next parameter; may be repeated', collect)
    .option('--in-transaction', 'it is sent inside a transaction')
    .option('--schema <file>', 'DDL of the tables')
  on(explain, async (flags, paths) => {
    const { explainStatement } = await import('./policy-explain.ts')
    return explainStatement(paths, { ...flags })
  })
  addRecorded(policy, on)
}

function addRecorded(policy: Command, on: On): void {
  const backtest = policy
    .command('backtest')
    .description('what a candidate would have decided about what was recorded')
    .requiredOption('--candidate <path>', 'folder or file of the candidate')
    .option('--since <duration>', 'how far back; default 7d')
    .option('--connection <name>', 'only actions on this connection')
    .option(
      '--fail-on <kinds>',
      'exit code 1 where one occurs: allow-to-deny, deny-to-allow, mask-change, undecidable',
    )
  on(backtest, async (flags) => {
    const { backtest: run } = await import('./policy-backtest.ts')
    return run({ ...flags })
  })
  const diff = policy
    .command('diff <old> <new>')
    .description(
      'which statements of the tests, of a corpus and of the record two versions treat differently',
    )
    .option('--since <duration>', 'also recorded actions, so far back')
    .option('--connection <name>', 'only recorded actions on this connection')
  on(diff, async (flags, paths) => {
    const { diffPolicies } = await import('./policy-diff.ts')
    return diffPolicies(paths, { ...flags })
  })
  const suggest = policy
    .command('suggest')
    .description('propose a role and an allow-list from what a job really did')
    .requiredOption('--job <id>', 'the job')
    .option('--since <duration>', 'how far back; default 7d')
  on(suggest, async (flags) => {
    const { suggestPolicy } = await import('./policy-diff.ts')
    return suggestPolicy({ ...flags })
  })
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Says what went wrong, once, in words without secrets. A bug shows where, and not what it was about. */
function failed(error: unknown, isJson: boolean): ExitCode {
  // Commander has said it already; 0 is --help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof CliError && isJson && error.problems !== undefined) {
    say(`${JSON.stringify({ problems: error.problems })}\n`)
    return error.exit
  }
  if (error instanceof CliError) {
    say(`${error.message.split('\n').map(printable).join('\n')}\n`, 2)
    return error.exit
  }
  if (error instanceof StartError) {
    say(`${printable(error.message)}\n`, 2)
    return 2
  }
  const where =
    error instanceof Error
      ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
      : []
  say(
    `sluice failed unexpectedly (${error instanceof Error ? error.name : typeof error}).\n${where.join('\n')}\n`,
    2,
  )
  return 2
}
