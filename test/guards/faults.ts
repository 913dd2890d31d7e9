/**
 * Pure. Guards against the faults of clients and targets: silence, dripping, leaving, hanging, lies, weaker ways to log in.
 *
 * Cases in `test/chaos` start the compiled gateway, so the copy must be built again for them.
 */
const HERE = 'src/protocols/postgres'
const CLIENTS = 'test/chaos/clients.test.ts'
const TARGETS = 'test/chaos/targets.test.ts'
const LOGINS = 'test/chaos/hostile-target.test.ts'
const CONTRACT = 'test/contract/contract.test.ts'

export const FAULT_GUARDS = [
  {
    id: 'target-changes-places',
    against: 'an address that another server has taken over',
    file: `${HERE}/catalogues.ts`,
    from: '    if (place !== seen.place) return { elsewhere: place }\n',
    to: '',
    fails: {
      'test/protocols/postgres/catalogues.test.ts': ['not read by this catalogue'],
      'test/protocols/postgres/names-places.test.ts': ['has a catalogue of its own'],
    },
  },
  {
    id: 'transaction-behind-an-answer',
    against:
      'a transaction that was sent before the answer to what went before it, and the path that was local to it',
    file: `${HERE}/names-keeper.ts`,
    from: '    if (isLast) {\n',
    to: '    {\n',
    fails: {
      'test/protocols/postgres/names-in-pipelines.test.ts': ['leaves its changes to its own end'],
    },
  },
  {
    id: 'client-never-reads',
    against: 'clients that never read',
    file: `${HERE}/relay.ts`,
    from: 'const downWaits = this.#stalled || client.wire.isFull',
    to: 'const downWaits = this.#stalled',
    fails: { [CLIENTS]: ['five that never read'] },
  },
  {
    id: 'client-silent',
    against: 'clients that connect and say nothing',
    file: 'src/threads/worker.ts',
    from: "const late = () => client.abort(new GatewayError('GW_HANDSHAKE_TIMEOUT', 'handshake'))",
    to: 'const late = () => {}',
    fails: { [CLIENTS]: ['one that says nothing'] },
  },
  {
    id: 'client-drips',
    against: 'clients that send one byte a second: the time counts from the accept',
    file: 'src/threads/worker.ts',
    from: '    const timer = setTimeout(late, handshakeMs)\n',
    to: `    let timer = setTimeout(late, handshakeMs)
    const { bytes } = client
    client.bytes = (...all) => {
      clearTimeout(timer)
      timer = setTimeout(late, handshakeMs)
      bytes.apply(client, all)
    }
`,
    fails: { [CLIENTS]: ['one that sends a byte now and then'] },
  },
  {
    id: 'client-silent-in-tls',
    against: 'clients that stop in the middle of TLS',
    file: 'src/accept/handshake.ts',
    from: '    this.#stop?.(error)\n',
    to: '',
    fails: { 'test/chaos/silent-tls.test.ts': ['one that stops'] },
  },
  {
    id: 'client-vanishes',
    against: 'clients that vanish in mid-COPY and in a result',
    file: `${HERE}/relay.ts`,
    from: "closed: () => this.#closed('client closed'),",
    to: "closed: () => void (this.#talk.ledger.size === 0 && this.#closed('client closed')),",
    fails: { [CLIENTS]: ['one that vanishes in mid-COPY'] },
  },
  {
    id: 'client-leaves-unread',
    against: 'clients that leave while the target takes nothing: neither end nor reset is read',
    file: 'src/relay/unread-client.ts',
    from: "return this.#stillLooks >= STILL_LOOKS_MAX ? 'end' : 'wait'",
    to: "return 'wait'",
    fails: { [TARGETS]: ['takes nothing holds nobody'] },
  },
  {
    id: 'client-leaves-behind-bytes',
    against: 'clients whose end stands behind bytes that nobody takes',
    file: `${HERE}/relay.ts`,
    from: "if (next === 'ask') this.#talk.remind()",
    to: '',
    fails: { [TARGETS]: ['takes nothing holds nobody'] },
  },
  {
    id: 'target-hangs-in-login',
    against: 'targets that hang: in the login',
    file: `${HERE}/dial.ts`,
    from: 'setTimeout(() => giveUp(tooSlow(connection, login.waitMs)), login.waitMs)',
    to: 'setTimeout(() => {}, login.waitMs)',
    fails: { [TARGETS]: ['accepts and says nothing'] },
  },
  {
    id: 'target-hangs-behind-login',
    against: 'targets that hang: right after it',
    file: `${HERE}/relay.ts`,
    from: "setTimeout(() => this.#finish('GW_UPSTREAM_LOGIN', this.#mute()), START_MS_MAX)",
    to: 'setTimeout(() => {}, START_MS_MAX)',
    fails: { [LOGINS]: ['goes quiet right after the login'] },
  },
  {
    id: 'target-hangs-in-statement',
    against: 'targets that hang: in a statement, which its client cancels',
    file: `${HERE}/relay.ts`,
    from: 'return isSame ? Promise.resolve() : this.#cancelFor(first)',
    to: 'return Promise.resolve()',
    fails: { [TARGETS]: ['can be cancelled'] },
  },
  {
    id: 'target-resets-in-row',
    against: 'targets that reset: no words of ours become values of a row',
    file: `${HERE}/relay.ts`,
    from: 'if (!isCut && !this.#talk.down.isWithinFrame)',
    to: 'if (!isCut)',
    fails: { [TARGETS]: ['a reset in mid-result'] },
  },
  {
    id: 'target-restarts',
    against: 'targets that restart in mid-query',
    file: `${HERE}/relay.ts`,
    from: "const error = told ? undefined : new GatewayError('GW_UPSTREAM_LOST', 'the target closed')",
    to: 'const error = undefined as GatewayError | undefined',
    fails: {
      [CONTRACT]: [
        "'target-gone.wire': 'A target that goes away without a wor…' goes as written, one byte",
      ],
    },
  },
  {
    id: 'target-length-below-itself',
    against: 'targets that lie about lengths',
    file: `${HERE}/frame.ts`,
    from: 'size < 4 || size > 0x3fffffff ? MALFORMED',
    to: 'size > 0x3fffffff ? MALFORMED',
    fails: { 'test/protocols/postgres/frame.test.ts': ['sizes of 0 to 3, negative ones'] },
  },
  {
    id: 'target-length-in-login',
    against: 'targets that lie about lengths: in the login',
    file: `${HERE}/authenticate.ts`,
    from: 'size < 4 || size > FRAME_BYTES_MAX',
    to: 'false',
    fails: { [LOGINS]: ['a length beyond every bound'] },
  },
  {
    id: 'target-omits-proof',
    against: 'targets that omit messages: their own proof',
    file: `${HERE}/authenticate.ts`,
    from: 'if ((await sasl(target, 12)) !== final.serverFinal) {',
    to: "if ((await sasl(target, 12)) === '') {",
    fails: { [LOGINS]: ['does not know itself'] },
  },
  {
    id: 'target-repeats-question',
    against: 'targets that repeat messages: the question for a proof',
    file: `${HERE}/authenticate.ts`,
    from: "if (proven) throw new GatewayError('GW_UPSTREAM_MALFORMED', 'authentication asked for twice')",
    to: '',
    fails: { [LOGINS]: ['is asked for again, and not given'] },
  },
  {
    id: 'target-repeats-version',
    against: 'targets that repeat messages: the version',
    file: `${HERE}/authenticate.ts`,
    from: 'kind === DOWN.negotiate && !negotiated && !proven',
    to: 'kind === DOWN.negotiate',
    fails: { [LOGINS]: ['two versions, one after the other'] },
  },
  {
    id: 'target-raises-version',
    against: 'targets that lie about the version',
    file: `${HERE}/authenticate.ts`,
    from: 'minor < 0 || minor >= asked || ',
    to: 'minor < 0 || ',
    fails: { [LOGINS]: ['another version than was asked for'] },
  },
  {
    id: 'target-reorders-login',
    against: 'targets that reorder messages: rows and questions behind the authentication',
    file: `${HERE}/dial.ts`,
    from: 'else if (kind !== DOWN.notice) {',
    to: 'else if (kind === -1) {',
    fails: {
      [LOGINS]: ['authentication that is over', 'a password, when it has let the gateway in'],
    },
  },
  {
    id: 'target-parameters',
    against: 'targets that repeat messages: parameters without end',
    file: `${HERE}/dial.ts`,
    from: 'if (statuses.length > 200)',
    to: 'if (statuses.length > 1e9)',
    fails: { [LOGINS]: ['parameters without end'] },
  },
  {
    id: 'target-asks-clear',
    against: 'targets that ask for weaker authentication: in clear',
    file: `${HERE}/authenticate.ts`,
    from: "if (!auth.includes('password')) throw weaker('password', connection)",
    to: '',
    fails: { [LOGINS]: ['a password in clear'] },
  },
  {
    id: 'target-asks-md5',
    against: 'targets that ask for weaker authentication: md5',
    file: `${HERE}/authenticate.ts`,
    from: "if (!auth.includes('md5')) throw weaker('md5', connection)",
    to: '',
    fails: { [LOGINS]: ['the gateway gives nothing md5'] },
  },
  {
    id: 'target-asks-nothing',
    against: 'targets that ask for weaker authentication: none at all',
    file: `${HERE}/authenticate.ts`,
    from: "if (!proven && !isFree) throw weaker('trust', connection)",
    to: '',
    fails: { [LOGINS]: ['nothing at all'] },
  },
  {
    id: 'target-asks-rounds',
    against: 'targets that hang: by rounds of SCRAM',
    file: 'src/dial/scram.ts',
    from: "if (rounds > ROUNDS_MAX) return 'the number of rounds is too high'",
    to: '',
    fails: { [LOGINS]: ['rounds of SCRAM'] },
  },
  {
    id: 'target-answers-out-of-order',
    against: 'targets that reorder messages: answers',
    file: `${HERE}/replies.ts`,
    from: 'if (first.kind !== kind || first.refusal !== undefined) return this.#unexpected(message)',
    to: '',
    fails: {
      [CONTRACT]: [
        "'answers-out-of-order.wire': 'An answer to another message than the…' goes as written, one byte",
      ],
    },
  },
  {
    id: 'target-answers-unasked',
    against: 'targets that repeat messages: answers that nothing is owed for',
    file: `${HERE}/replies.ts`,
    from: 'if (first === undefined) return this.#unexpected(kind)\n',
    to: 'if (first === undefined) return FORWARD\n',
    fails: {
      [CONTRACT]: [
        "'answers-unasked.wire': 'A reply that nothing is owed for ends…' goes as written, one byte",
      ],
    },
  },
  {
    id: 'target-takes-replacement',
    against: 'targets that omit messages: the failure of what was refused',
    file: `${HERE}/replies.ts`,
    from: 'if (first.refusal !== undefined && !first.failed) return this.#unexpected(DOWN.readyForQuery)',
    to: '',
    fails: {
      [CONTRACT]: [
        "'replacement-accepted.wire': 'A target that does not refuse what mu…' goes as written, one byte",
      ],
    },
  },
  {
    id: 'out-of-descriptors',
    against: 'out of descriptors',
    file: 'src/threads/gateway.ts',
    from: 'if (limits.connections <= max) return limits',
    to: 'if (max > 0) return limits',
    fails: { 'test/chaos/descriptors.test.ts': ['out of descriptors is 53300'] },
  },
  {
    id: 'one-at-full-speed',
    against: 'one session copying at full speed beside small ones',
    file: 'src/accept/wire.ts',
    from: 'return size < shared.length ? true : this.#yield()',
    to: 'return true',
    fails: { 'test/accept/wire.test.ts': ['two that send at full speed are read in turn'] },
  },
]
