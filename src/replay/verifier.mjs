/**
 * Pure, but for its last part, which is a program: `node verifier.mjs evidence.ndjson`. Verifies a record of Sluice from a
 * file of evidence, with nothing but Node: no package, no network, no trust in the gateway.
 *
 * What is proven, and how:
 *   rows      Each leaf speaks for a run of one session's events: SHA-256 of their rows in ClickHouse's RowBinary (facts of
 *             the event), and a salted one of what may be erased (statement, facts, params, payload).
 *   sealed    events of this kind say of a batch of sealed originals, and of the session's wrapped key, all that their rows hold: digests
 *             of what is encrypted, and the other columns. The file of evidence has beside the rows what the record store has of them.
 *   leaves    are the leaves of one Merkle tree per gateway (RFC 6962: 0 before a leaf, 1 before a node).
 *   heads     are its roots, signed by Ed25519 at most a second after an event, each with the hash of the head before.
 *   keys      sign each other; the first one is what you pin (--key), having got it on another way.
 *   anchors   are heads that were kept elsewhere: a record that is older than an anchor was rolled back.
 *
 *   excuses   of one chain (retention, erasures) count for another only where that other chain is vouched for: its first key was pinned,
 *             or an anchor or the gateway that was asked knows it. Whoever can write into the record store can begin a chain there.
 *   retention is what signed heads say, for each connection: what is older may be gone, with its leaves and heads.
 *   erasures  are rows of the record themselves (protocol control, status erase): whose contents were erased, up to which leaf
 *             of which chain, by whom. Contents that are gone without one were tampered with.
 *
 * What is not: that the gateway told the truth when it recorded, and, where it was killed, the last second before that. Such
 * events are said to be an unsigned tail.
 *
 * A file of evidence is JSON lines: {sluice:"evidence"…}, {keys}, {known} (heads that others have kept), {chain,from} (from
 * here on leaves of this chain; `from`: the head to go on from, that of the asked time or the oldest there is), {heads}, {leaves,rows} (rows: RowBinary, base64; a leaf of
 * a single session has its own path to a head; sealed, wraps: batches and keys that these rows speak of), {strays} (rows that no leaf
 * speaks for), {unspoken} (batches and keys that no event speaks of), {end}.
 */
import { createHash, createPublicKey, verify } from 'node:crypto'

/** @param {string | Uint8Array} data */
const sha256 = (data) => createHash('sha256').update(data).digest('hex')
/** @param {string} text */
export const leafHash = (text) => sha256(`\0${text}`)
/** @param {string} left @param {string} right */
export const nodeHash = (left, right) => sha256(Buffer.from(`01${left}${right}`, 'hex'))

// ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {unknown} text @param {string} name @param {number} length */
function readText(text, name, length) {
  try {
    const list = JSON.parse(String(text))
    return Array.isArray(list) && list[0] === name && list.length === length ? list : undefined
  } catch {
    return undefined
  }
}

/** What a row of encoding 1 is made of: no digest holds the names of columns, and other names would say other things. */
const COLUMNS_SHA256 = '8d9c485398f960fc7d3cab683cd87d10a439b7d8c2817ff265cd975211e7effd'

export function readLeaf(text) {
  const list = readText(text, 'sluice-leaf-1', 13)
  if (list === undefined) return undefined
  const [, chain, n, at, segment, session, first, last, events, contents] = list
  const [hints, proof, connection] = list.slice(10)
  return { chain, n, at, segment, session, first, last, events, contents, hints, proof, connection }
}

export function readHead(text) {
  const list = readText(text, 'sluice-head-1', 11)
  if (list === undefined) return undefined
  const [, chain, number, size, root, at, instance, kind, previous, retention, key] = list
  return { chain, number, size, root, at, instance, kind, previous, retention, key }
}

export function readKey(text) {
  const list = readText(text, 'sluice-key-1', 6)
  if (list === undefined) return undefined
  const [, chain, id, spki, at, by] = list
  return { chain, id, spki, at, by }
}

export function isSigned(text, signature, spki) {
  try {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

/**
 * Rows of RowBinary (https://clickhouse.com/docs/interfaces/formats/RowBinary): for each the bytes of its facts and of its
 * contents (the last columns), and the values that are looked at here.
 */
export function* readRows(bytes, columns, contents) {
  const names = columns.map(([name]) => name)
  const seq = names.indexOf('seq')
  const told = new Map(
    ['session_id', 'kind', 'instance', 'protocol', 'subject', 'job', 'status', 'text', 'ts'].map(
      (name) => [names.indexOf(name), name === 'session_id' ? 'session' : name],
    ),
  )
  let at = 0
  const size = () => {
    let value = 0
    // Ten bytes hold 64 bits: what goes on after that is no length.
    for (let scale = 1; at < bytes.length && scale < 2 ** 70; scale *= 128) {
      const byte = bytes[at++]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new Error('the rows are cut off')
  }
  const skip = (count) => {
    at += count
    if (at > bytes.length) throw new Error('the rows are cut off')
  }
  while (at < bytes.length) {
    const begin = at
    let split = at
    const row = { session: '', seq: 0, kind: '', instance: '', protocol: '', subject: '', job: '' }
    Object.assign(row, { status: '', text: '', ts: 0, events: bytes, contents: bytes })
    for (let i = 0; i < columns.length; i++) {
      if (i === columns.length - contents) split = at
      const type = columns[i][1]
      if (type === 'String') {
        const length = size()
        const name = told.get(i)
        if (name !== undefined) row[name] = bytes.toString('utf8', at, at + length)
        skip(length)
      } else if (type === 'Bool') skip(1)
      else if (type.startsWith('Array') || type.startsWith('Map')) {
        for (let count = size(); count > 0; count--) {
          skip(size())
          if (type.startsWith('Map')) skip(8)
        }
      } else {
        if (i === seq && at + 8 <= bytes.length) row.seq = Number(bytes.readBigUInt64LE(at))
        else if (told.get(i) === 'ts' && at + 8 <= bytes.length)
          row.ts = Number(bytes.readBigInt64LE(at))
        skip(8)
      }
    }
    row.events = bytes.subarray(begin, split)
    row.contents = bytes.subarray(split, at)
    yield row
  }
}

const CRC = Int32Array.from({ length: 256 }, (_, n) => {
  let value = n
  for (let i = 0; i < 8; i++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** CRC-32 of a row: says which row was changed, once the digest has said that one was. */
function checksum(row) {
  let value = -1
  for (const part of [row.events, row.contents])
    for (let i = 0; i < part.length; i++) value = CRC[(value ^ part[i]) & 255] ^ (value >>> 8)
  return ((value ^ -1) >>> 0).toString(16).padStart(8, '0')
}

// ── The tree ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A tree that grows: the roots of the complete subtrees it is made of, largest first. */
export class Tree {
  constructor(size = 0, peaks = []) {
    this.size = size
    this.peaks = [...peaks]
  }

  append(leaf) {
    let node = leaf
    for (let size = this.size; size % 2 === 1; size = Math.floor(size / 2))
      node = nodeHash(this.peaks.pop(), node)
    this.peaks.push(node)
    this.size++
  }

  get root() {
    return this.peaks.length === 0
      ? sha256('')
      : this.peaks.reduceRight((right, left) => nodeHash(left, right))
  }
}

/** The root that a leaf and its path lead to (RFC 9162 §2.1.3.2); undefined where the path does not fit. */
export function rootOfPath(hash, index, size, path) {
  if (index >= size) return undefined
  let [node, at, last] = [hash, index, size - 1]
  for (const sibling of path) {
    if (last === 0) return undefined
    if (at % 2 === 1 || at === last) {
      node = nodeHash(sibling, node)
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
    } else node = nodeHash(node, sibling)
    ;[at, last] = [Math.floor(at / 2), Math.floor(last / 2)]
  }
  return last === 0 ? node : undefined
}

// ── Judging ────────────────────────────────────────────────────────────────────────────────────────────────────────

const day = 86_400_000_000
/** Microseconds until a gateway has copied its chain into a record store that it shares with others. */
const COPIED_MAX = 30_000_000
/** Microseconds that clocks may be apart. */
const CLOCKS_MAX = 300_000_000
const when = (at) => new Date(at / 1000).toISOString()
/** Sweeping comes late, and a leaf a little after its events: a day earlier is no finding, nor half of the time. */
const daysKept = (days) => days - Math.min(1, days / 2)
const gatewayOf = (chain) => chain.slice(0, chain.lastIndexOf('.'))

/** Days that a head's retention gives a connection; the record of the control API has the longest. */
function daysOf(retention, connection) {
  if (typeof retention === 'number') return retention
  if (connection === '') return Math.max(...Object.values(retention))
  return Object.hasOwn(retention, connection) ? retention[connection] : retention['']
}

/** Of a row whose contents were erased: two texts, a list and a text, all of them empty. */
const isBlank = ({ contents }) => contents.every((byte) => byte === 0)

/** What a row says was erased; undefined: it is about something else. */
function readErasure({ kind, protocol, status, subject, text, ts }) {
  if (kind !== 'admin' || protocol !== 'control' || status !== 'erase') return undefined
  try {
    const { scope, chains, reason } = JSON.parse(text)
    return {
      ts,
      at: when(ts),
      by: subject,
      kind: scope.kind,
      name: scope.name,
      reason,
      chains,
      events: 0,
    }
  } catch {
    return undefined
  }
}

/** Takes the lines of a file of evidence, one after the other; `report` is what is wrong with it. */
export class Verifier {
  /** `pins`: ids of first keys. @param {{ pins?: readonly string[], anchors?: readonly object[] }} options */
  constructor({ pins = [], anchors = [] } = {}) {
    this.pins = pins
    /** @type {any[]} */
    this.known = anchors.map((anchor) => ({ source: 'anchor', ...anchor, isOurs: false }))
    /** Who says that chains are of somebody: pins and anchors, and without any the gateway that was asked. */
    this.isGatewayTrusted = pins.length === 0 && anchors.length === 0
    /** @type {Set<string>} */
    this.vouched = new Set()
    /** @type {any[]} */
    this.findings = []
    /** Finding → what would excuse it; only at the end everything is known that could. */
    this.doubts = new Map()
    /** @type {any[]} */
    this.erasures = []
    /** Chain → its first head in the evidence, where those before it are not. */
    this.floors = new Map()
    /** Chain → what its signed heads said of retention, and until when. */
    this.retentions = new Map()
    this.counts = {
      leaves: 0,
      heads: 0,
      events: 0,
      sessions: 0,
      expired: 0,
      erased: 0,
      unsigned: 0,
      /** Chain → before which moment it is past retention. */
      pruned: {},
    }
    this.keys = new Map()
    this.roots = []
    /** Chain → when its newest head was signed, as far as its signature was checked. */
    this.signed = new Map()
    /** Session → what was seen of it. */
    this.sessions = new Map()
    /** Chain → its last head, and roots by size. */
    this.chains = new Map()
    this.meta = undefined
    this.chain = undefined
    this.isEnded = false
    this.isRange = true
    this.made = 0
  }

  find(kind, say, place = {}) {
    this.findings.push({ kind, ...place, say })
  }

  /** A finding, unless `isExcused` says otherwise in the end. */
  doubt(kind, say, place, isExcused) {
    this.find(kind, say, place)
    this.doubts.set(this.findings.at(-1), isExcused)
  }

  /** The head that counts when it was recorded, or a later one of the same gateway, lets it be gone. */
  pastRetention({ at, connection }, { id, head }, then) {
    const before = (now, retention) => now - daysKept(daysOf(retention, connection)) * day
    return () => {
      const cuts =
        head === undefined ? [] : [before(Math.min(this.made, this.newest(id)), head.retention)]
      for (const [chain, said] of this.retentions)
        if (chain === id || (gatewayOf(chain) === gatewayOf(id) && this.vouched.has(chain)))
          for (const one of said.values()) cuts.push(before(one.at, one.retention))
      const isPast = cuts.some((cut) => at < cut)
      if (isPast) then()
      return isPast
    }
  }

  /** Nobody signs when evidence was made: it is not believed beyond the newest head. */
  newest(id) {
    const of = [...this.signed].filter(([chain]) => chain === id || this.vouched.has(chain))
    return Math.max(0, ...of.map(([, at]) => at))
  }

  /** Heads with one retention are remembered by the newest of them. */
  takeRetention({ chain, at, retention }) {
    const found = this.retentions.get(chain) ?? new Map()
    this.retentions.set(chain, found)
    const key = JSON.stringify(retention)
    if (at <= this.made && at > (found.get(key)?.at ?? 0)) found.set(key, { at, retention })
  }

  /** Contents that are gone need an erasure of their session, job or subject that reaches their leaf. */
  erasureOf({ chain, n, at, session }, rows) {
    return this.erasures.find(
      ({ kind, name, chains, ts, of }) =>
        (of === chain || this.vouched.has(of)) &&
        chains?.[chain] > n &&
        at <= ts + CLOCKS_MAX &&
        (kind === 'session'
          ? name === session
          : rows.length > 0 && rows.every((row) => row[kind] === name)),
    )
  }

  isErased(leaf, rows) {
    const found = this.erasureOf(leaf, rows)
    if (found === undefined) return false
    found.events += rows.length
    this.counts.erased += rows.length
    return true
  }

  /** @param {any} line */
  line(line) {
    if (line.sluice === 'evidence') this.begin(line)
    else if (this.meta === undefined)
      throw new Error('this is no evidence: its first line does not say so')
    else if (line.keys !== undefined) this.takeKeys(line.keys)
    else if (line.known !== undefined) this.takeKnown(line.known)
    else if (line.chain !== undefined) this.beginChain(line)
    else if (line.leaves !== undefined) this.takeLeaves(line)
    else if (line.heads !== undefined) this.chain.heads.push(...line.heads)
    else if (line.gaps !== undefined) this.takeGaps(line.gaps)
    else if (line.strays !== undefined) this.takeStrays(line.strays)
    else if (line.unspoken !== undefined) this.takeUnspoken(line.unspoken)
    else if (line.end !== undefined) this.isEnded = true
  }

  begin(line) {
    if (this.meta !== undefined || line.version !== 1 || line.canonical !== 1)
      throw new Error('this evidence is of another version')
    if (sha256(JSON.stringify([line.columns, line.contents])) !== COLUMNS_SHA256)
      throw new Error('the columns of this evidence are not those of its version')
    this.meta = line
    this.isRange = line.scope.type === 'range'
    // Retention excuses what is missing; a file that says it was made in the future must not.
    this.made = Math.min(line.made, Date.now() * 1000)
  }

  /** Heads that the gateway itself, and its state database, have kept; what others keep is given beside the evidence. */
  takeKnown(known) {
    for (const { source, text, signature } of known) {
      const isOurs = source === 'gateway' || source === 'state'
      if (isOurs) this.known.push({ source, text, signature, isOurs })
      else
        this.find(
          'evidence',
          `the evidence has a head from ${source}: give those of others as anchors`,
        )
    }
  }

  takeKeys(list) {
    for (const { text, signature } of list) {
      const key = readKey(text)
      if (key === undefined) {
        this.find('key', 'a public key cannot be read')
        continue
      }
      const isFirst = key.by === key.id
      const signer = isFirst ? key : this.keys.get(`${key.chain} ${key.by}`)
      const isItself =
        sha256(Buffer.from(key.spki, 'base64')).startsWith(key.id) && key.id.length === 32
      if (signer === undefined || !isItself || !isSigned(text, signature, signer.spki))
        this.find('key', `key ${key.id} of chain ${key.chain} is not signed by the key before it`, {
          chain: key.chain,
        })
      else {
        this.keys.set(`${key.chain} ${key.id}`, key)
        if (isFirst) this.roots.push({ chain: key.chain, key: key.id })
      }
    }
    const firsts = new Map()
    for (const { chain, key } of this.roots) {
      if (firsts.has(chain) && firsts.get(chain) !== key)
        this.find('key', `chain ${chain} has two first keys, ${firsts.get(chain)} and ${key}`, {
          chain,
        })
      firsts.set(chain, key)
      if (this.pins.includes(key)) this.vouched.add(chain)
      else if (this.pins.length > 0)
        this.find('key', `chain ${chain} begins with key ${key}, which was not pinned`, { chain })
    }
  }

  beginChain({ chain, from }) {
    this.finishChain()
    this.chain = {
      id: chain,
      heads: [],
      head: undefined,
      tree: new Tree(),
      isWhole: true,
      roots: new Map(),
      /** Size → the run that signed its first head. */
      signers: new Map(),
      instances: new Set(),
      unsigned: [],
      isFromBegin: from === undefined || from === null,
    }
    this.chains.set(chain, this.chain)
    if (from === undefined || from === null) return
    const head = readHead(from.text)
    if (head === undefined)
      this.find('evidence', `the evidence of chain ${chain} begins with no head`, { chain })
    else this.beginLater(head)
    this.chain.tree = new Tree(head?.size ?? 0, from.peaks)
    this.chain.heads.push(from)
    this.takeHeads()
  }

  /** What came before this head is not in the evidence: nobody asked for it, or it is past retention. */
  beginLater(head) {
    const { chain } = this
    if (this.isRange && head.at <= this.meta.scope.since) return
    this.floors.set(chain.id, head)
    if (!this.isRange) return
    this.doubt(
      'evidence',
      `the evidence of chain ${chain.id} begins with head ${head.number} of ${when(head.at)}, later than was asked`,
      { chain: chain.id, head: head.number },
      this.isBefore({ ...chain, head }),
    )
  }

  /** Everything before the oldest head is past the longest retention. */
  isBefore({ id, head }) {
    return this.pastRetention({ at: head.at, connection: '' }, { id, head }, () => {
      this.counts.pruned[id] = when(head.at)
    })
  }

  // One signature speaks for all heads before it, as each holds the hash of the one before; so the last one is checked by
  // its signature (finishChain), and the others by these hashes.
  takeHead({ text, signature }) {
    const { chain } = this
    const head = readHead(text)
    if (head === undefined || head.chain !== chain.id) {
      this.find('head', `a head of chain ${chain.id} cannot be read`, { chain: chain.id })
      return
    }
    const before = chain.head
    const place = { chain: chain.id, head: head.number, at: when(head.at) }
    this.counts.heads++
    if (this.isRange && before !== undefined) {
      if (head.number <= before.number || head.size < before.size || head.at <= before.at) {
        this.find(
          'old-head',
          `head ${head.number} of ${when(head.at)} is an old one: head ${before.number} came before it`,
          place,
        )
        return
      }
      if (head.number !== before.number + 1)
        this.find(
          'head',
          `heads ${before.number + 1} to ${head.number - 1}, before ${when(head.at)}, are missing`,
          place,
        )
      else if (head.previous !== sha256(chain.headText))
        this.find('head', `head ${before.number} of ${when(before.at)} was changed`, {
          ...place,
          head: before.number,
        })
      if (head.instance !== before.instance && before.kind !== 'close')
        chain.killed = [...(chain.killed ?? []), { instance: before.instance, at: before.at }]
    }
    if (this.isRange && before === undefined && chain.isFromBegin && head.number > 0)
      this.doubt(
        'head',
        `heads 0 to ${head.number - 1} of chain ${chain.id}, before ${when(head.at)}, are missing`,
        place,
        this.isBefore({ id: chain.id, head }),
      )
    if (chain.isWhole && this.isRange && head.root !== chain.tree.root) {
      this.find(
        'root',
        `the root of head ${head.number} of ${when(head.at)} does not fit its leaves`,
        place,
      )
      // What comes after is built on something else; one finding says it.
      chain.isWhole = false
    }
    if (!this.isRange && !this.isHeadSigned(text, signature, head))
      this.find(
        'signature',
        `head ${head.number} of ${when(head.at)} is not signed by a key of its chain`,
        place,
      )
    this.takeRetention(head)
    chain.roots.set(head.size, head.root)
    if (!chain.signers.has(head.size)) chain.signers.set(head.size, head.instance)
    chain.instances.add(head.instance)
    chain.head = head
    chain.headText = text
    chain.signature = signature
    // Only what a head covers is signed.
    for (const { n, leaf, place } of chain.unsigned)
      if (n < head.size) this.takeSigner(leaf, head.instance, place)
    chain.unsigned = chain.unsigned.filter(({ n }) => n >= head.size)
  }

  isHeadSigned(text, signature, head) {
    const key = this.keys.get(`${head.chain} ${head.key}`)
    if (key === undefined || key.at > head.at || !isSigned(text, signature, key.spki)) return false
    this.signed.set(head.chain, Math.max(head.at, this.signed.get(head.chain) ?? 0))
    return true
  }

  /** Heads whose size the tree has reached. */
  takeHeads() {
    const { heads, tree } = this.chain
    while (heads.length > 0) {
      const head = readHead(heads[0].text)
      if (head !== undefined && head.size > tree.size && this.isRange) return
      this.takeHead(heads.shift())
    }
  }

  takeLeaves({ leaves, rows, sealed = [], wraps = [] }) {
    const bySession = new Map()
    this.sealed = listed(sealed, ({ session, batch }) => `${session} ${batch}`)
    this.wraps = listed(wraps, ({ session }) => session)
    const { columns, contents } = this.meta
    for (const row of readRows(Buffer.from(rows, 'base64'), columns, contents)) {
      const found = bySession.get(row.session)
      if (found === undefined) bySession.set(row.session, [row])
      else found.push(row)
    }
    if (!this.isRange) this.takeHeads()
    for (const leaf of leaves) this.takeLeaf(leaf, bySession)
    this.takeHeads()
  }

  takeLeaf(given, bySession) {
    const { chain } = this
    const leaf = readLeaf(given.text)
    this.counts.leaves++
    if (leaf === undefined || leaf.chain !== chain.id) {
      this.find('leaf', `leaf ${chain.tree.size} of chain ${chain.id} cannot be read`, {
        chain: chain.id,
      })
      chain.isWhole = false
      return
    }
    const place = {
      chain: chain.id,
      leaf: leaf.n,
      session: leaf.session,
      first: leaf.first,
      last: leaf.last,
      at: when(leaf.at),
    }
    if (given.isCopy)
      this.find(
        'leaf',
        `leaf ${leaf.n} is missing from the record store: events ${span(leaf)} of session ${leaf.session}`,
        place,
      )
    if (given.path !== undefined || !this.isRange) this.takePath(given, leaf, place)
    else {
      this.takeHeads()
      if (leaf.n < chain.tree.size && leaf.n === chain.lastLeaf)
        this.find(
          'leaf',
          `leaf ${leaf.n} stands there twice, and differs: session ${leaf.session}`,
          place,
        )
      else if (leaf.n !== chain.tree.size && chain.isWhole) {
        this.find(
          'leaf',
          `leaves ${chain.tree.size} to ${leaf.n - 1} of chain ${chain.id} are missing: what was recorded until ${when(leaf.at)}`,
          place,
        )
        chain.isWhole = false
      }
      chain.lastLeaf = leaf.n
      chain.tree.append(leafHash(given.text))
      chain.tree.size = leaf.n + 1
      chain.unsigned.push({ n: leaf.n, leaf, place, at: leaf.at })
    }
    const rows = bySession.get(leaf.session) ?? []
    this.takeRun(given, leaf, rows, place)
    for (const row of rows)
      if (row.kind === 'sealed' && row.seq >= leaf.first && row.seq <= leaf.last)
        this.takeSealed(row, leaf, { ...place, first: row.seq, last: row.seq })
  }

  /** The originals that an event speaks of: what the store has of them is what was sealed, once. */
  takeSealed(row, leaf, place) {
    const { text, session } = row
    let told
    try {
      told = Object(JSON.parse(text))
    } catch {
      // The digest of its run has said that it was changed.
      return
    }
    const known = this.sessions.get(session)
    known.batch = Math.max(known.batch, Number(told.batch) || 0)
    const { batch, sha256, values, cut, at, key, action, wrap } = told
    const event = action === 0 ? '' : `${session}-${action}`
    const nonce = Number(batch).toString(16).padStart(24, '0')
    // Events of the first version say less.
    const more = at === undefined ? {} : { values, cut, at, key, event, nonce, place: 'values' }
    const what = `sealed originals of session ${session} of ${when(leaf.at)}, batch ${batch}`
    const found = this.sealed.get(`${session} ${batch}`) ?? []
    this.compare([{ sha256, ...more }, found], what, { leaf, row, place: { ...place, batch } })
    if (found.length > 1) this.find('added', `${what}: stands there twice`, { ...place, batch })
    if (wrap === undefined || wrap === null) return
    const wraps = this.wraps.get(session) ?? []
    const wanted = { wrapped: wrap.sha256, recipients: wrap.recipients, at, key }
    const rows = wraps.map(({ sha256, ...one }) => ({ ...one, wrapped: sha256 }))
    const whose = `the wrapped key of sealed originals of session ${session} of ${when(leaf.at)}`
    this.compare([wanted, rows], whose, { leaf, row, place })
  }

  /** What an event says, and the rows of the store: one of them is as it says. */
  compare([wanted, rows], what, { leaf, row, place }) {
    const isPast = this.pastRetention(leaf, this.chain, () => {})
    const { id } = this.chain
    const isExcused = () =>
      isPast() || this.erasureOf(leaf, [row]) !== undefined || this.isOnItsWay(id, leaf.at)
    if (rows.length === 0) this.doubt('missing', `${what}: missing`, place, isExcused)
    const differing = rows.map((one) =>
      Object.keys(wanted).filter(
        (name) => JSON.stringify(wanted[name]) !== JSON.stringify(asLike(one[name], wanted[name])),
      ),
    )
    const [fewest] = differing.sort((a, b) => a.length - b.length)
    if (fewest === undefined || fewest.length === 0) return
    const names = fewest.map((name) => SEALED_NAMES[name])
    this.find('changed', `${what}: changed (${names.join(', ')})`, place)
  }

  takePath(given, leaf, place) {
    const head = !this.isRange ? this.chain.roots : new Map()
    for (const [size, root] of head)
      if (
        given.path !== undefined &&
        rootOfPath(leafHash(given.text), leaf.n, size, given.path) === root
      ) {
        this.takeSigner(leaf, this.chain.signers.get(size), place)
        return
      }
    if (given.path === undefined) this.chain.unsigned.push({ n: leaf.n, leaf, place, at: leaf.at })
    else
      this.find(
        'leaf',
        `leaf ${leaf.n}, events ${span(leaf)} of session ${leaf.session}, does not lead to a signed head`,
        place,
      )
  }

  /** A leaf that its own run has not signed stood in a file until another one did: whoever could write there could change it. */
  takeSigner({ segment, session, first, last, proof }, instance, place) {
    if (proof !== 'live' || segment.split('-', 1)[0] === instance) return
    this.counts.unsigned += last - first + 1
    this.find('unsigned', `${tail({ session, first, last })}; ${NOTHING_SAYS}`, place)
  }

  /** The events of one leaf: are all there, once, and as they were. */
  takeRun(given, leaf, all, place) {
    const { session, first, last } = leaf
    const rows = all.filter(({ seq }) => seq >= first && seq <= last)
    const isErased = given.salt === ''
    const seen = new Map()
    for (const row of rows) {
      if (seen.has(row.seq))
        this.find('added', `event ${session}-${row.seq} stands there twice`, {
          ...place,
          first: row.seq,
          last: row.seq,
        })
      seen.set(row.seq, row)
    }
    this.counts.events += seen.size
    this.follow(leaf, rows, place)
    const missing = gaps(first, last, seen)
    if (missing.length > 0) {
      // Retention deletes what is old; how old stands in the signed head.
      for (const [from, to] of missing)
        this.doubt(
          'missing',
          `event${from === to ? '' : 's'} ${span({ first: from, last: to })} of session ${session} of ${when(leaf.at)} ${from === to ? 'is' : 'are'} missing`,
          { ...place, first: from, last: to },
          this.pastRetention(leaf, this.chain, () => {
            this.counts.expired += to - from + 1
          }),
        )
      // Their digest needs all of them; what is left has its checksums.
      const changed = this.changedOf(given, leaf, rows)
      if (changed !== undefined) this.sayChanged(changed, leaf, place)
      else if (rows.length > 0)
        this.doubt(
          'erased',
          `what is left of events ${span(leaf)} of session ${session} cannot be verified any more`,
          place,
          () => rows.every(isBlank) && this.isErased(leaf, rows),
        )
      return
    }
    const [events, contents] = [
      createHash('sha256'),
      createHash('sha256').update(Buffer.from(given.salt, 'hex')),
    ]
    for (const row of rows) {
      events.update(row.events)
      contents.update(row.contents)
    }
    const areEvents = events.digest('hex') === leaf.events
    const of = leaf.chain
    if (areEvents)
      for (const row of rows) {
        const erasure = readErasure(row)
        if (erasure !== undefined) this.erasures.push({ ...erasure, of })
      }
    if (areEvents && contents.digest('hex') === leaf.contents) return
    const isGone = areEvents && rows.every(isBlank)
    const erased = () => isGone && this.isErased(leaf, rows)
    if (isErased)
      this.doubt(
        'erased',
        `what events ${span(leaf)} of session ${session} said was erased without a signed erasure, or cannot be verified any more`,
        place,
        erased,
      )
    if (areEvents && isErased) return
    // An erasure that has not come to the salt yet.
    if (isGone) {
      const [{ seq: from }, { seq: to }] = [rows[0], rows.at(-1)]
      this.sayChangedUnless(erased, { from, to }, leaf, place)
      return
    }
    const changed = this.changedOf(given, leaf, rows) ?? []
    // A forged leaf, or checksums that were changed too: all of the run.
    if (changed.length === 0)
      this.find(
        'changed',
        `events ${span(leaf)} of session ${session} of ${when(leaf.at)} were changed`,
        place,
      )
    else this.sayChanged(changed, leaf, place)
  }

  /** Which of the rows that are there their checksums tell to be others; undefined where these are others themselves. */
  changedOf(given, { first, hints }, rows) {
    const salted = Buffer.concat([
      Buffer.from(given.salt, 'hex'),
      Buffer.from(given.hints, 'latin1'),
    ])
    if (sha256(salted) !== hints) return undefined
    const hintOf = ({ seq }) => given.hints.slice((seq - first) * 8, (seq - first + 1) * 8)
    return rows.filter((row) => checksum(row) !== hintOf(row)).map(({ seq }) => seq)
  }

  sayChanged(changed, leaf, place) {
    for (const [from, to] of ranges(changed))
      this.sayChangedUnless(() => false, { from, to }, leaf, place)
  }

  sayChangedUnless(isExcused, { from, to }, leaf, place) {
    this.doubt(
      'changed',
      `event${from === to ? '' : 's'} ${span({ first: from, last: to })} of session ${leaf.session} of ${when(leaf.at)} ${from === to ? 'was' : 'were'} changed`,
      { ...place, first: from, last: to },
      isExcused,
    )
  }

  follow(leaf, rows, place) {
    const { session, first, last, proof } = leaf
    const known = this.sessions.get(session) ?? {
      first,
      next: first,
      hasEnd: false,
      end: undefined,
      isWhole: true,
      instance: '',
      at: leaf.at,
      /** The last batch of sealed originals that an event speaks of. */
      batch: 0,
      /** Chain → what it says of the session. */
      chains: new Map(),
    }
    const said = known.chains.get(leaf.chain)
    if (said === undefined) known.chains.set(leaf.chain, { ...place })
    else [said.first, said.last] = [Math.min(said.first, first), Math.max(said.last, last)]
    // Calls of the control API that explain a session are not another one.
    const isCall = this.meta.scope.calls?.includes(session) === true
    if (!this.sessions.has(session) && !isCall) this.counts.sessions++
    if (first < known.next)
      this.find('added', `two leaves speak for events ${span(leaf)} of session ${session}`, place)
    else if (first > known.next)
      this.find(
        'missing',
        `events ${span({ first: known.next, last: first - 1 })} of session ${session} are in no leaf`,
        { ...place, first: known.next, last: first - 1 },
      )
    const isBeginSeen = !this.isRange || this.meta.scope.since === 0
    if (isBeginSeen && first !== 1 && !this.sessions.has(session)) {
      const floor = this.floors.get(leaf.chain)
      this.doubt(
        'missing',
        `events ${span({ first: 1, last: first - 1 })} of session ${session} are in no leaf`,
        { ...place, first: 1, last: first - 1 },
        floor === undefined ? () => false : this.isBefore({ id: leaf.chain, head: floor }),
      )
    }
    known.next = Math.max(known.next, last + 1)
    known.at = leaf.at
    for (const { kind, instance, protocol, seq, status } of rows) {
      known.instance = instance
      if (known.end !== undefined && seq > known.end.event)
        this.find(
          'added',
          `event ${session}-${seq} comes after event ${known.end.event}, with which the session ended`,
          { ...place, first: seq, last: seq },
        )
      else if (kind === 'close' || kind === 'login_refused') known.end = { event: seq, status }
      // A refused login and a call of the control API are over with their one event.
      if (kind === 'close' || kind === 'login_refused' || protocol === 'control')
        known.hasEnd = true
    }
    this.sessions.set(session, known)
    if (proof === 'live') return
    this.counts.unsigned += last - first + 1
    if (proof === 'broken')
      this.find(
        'changed-tail',
        `unsigned tail: events ${span(leaf)} of session ${session} were changed in the spool before a head was signed; the ratchet does not hold`,
        place,
      )
    else
      this.find(
        'unsigned',
        `${tail(leaf)}; ${proof === 'sealed' ? 'the ratchet holds' : NOTHING_SAYS}`,
        place,
      )
  }

  takeGaps({ chain, count, from }) {
    this.find(
      'leaf',
      `${count} leaves of chain ${chain} after leaf ${from} are missing: the end of a session may be among them; verify the range`,
      { chain, leaf: from },
    )
  }

  takeStrays(strays) {
    for (const { session, first, last, at, instance } of strays) {
      const place = { session, first, last, at: when(at) }
      const chains = [...this.chains.values()].filter(({ head }) => head !== undefined)
      // Of the gateway that recorded it; where nobody knows that gateway, of all of them.
      const own = chains.filter(({ instances }) => instances.has(instance))
      const ends = (own.length > 0 ? own : chains).map(({ head }) => head.at)
      const isTail =
        ends.length > 0 && Number(at) > Math.max(...ends) && Number(at) <= this.meta.made
      if (isTail) {
        if (own.length > 0 && own.every(({ id }) => this.isOnItsWay(id, Number(at)))) continue
        this.find(
          'unsigned',
          `unsigned tail: events ${span(place)} of session ${session} came after the last head`,
          place,
        )
      } else
        this.find(
          'added',
          `events ${span(place)} of session ${session} are in no leaf: they were added, or their leaves are gone`,
          place,
        )
    }
  }

  /** Originals and keys that no event speaks of. A session that goes on, or was killed, may have written them before its event. */
  takeUnspoken(unspoken) {
    for (const { session, batch, rows, at } of unspoken) {
      const place = {
        session,
        at: when(at),
        ...(batch === undefined ? {} : { batch: Number(batch) }),
      }
      const known = this.sessions.get(session)
      const age = this.meta.made - Number(at)
      const isFresh = age >= 0 && age < COPIED_MAX
      const mayCome =
        known === undefined ? isFresh : !known.hasEnd && (place.batch ?? 1) > known.batch
      const what =
        batch === undefined
          ? `a wrapped key of session ${session}`
          : `sealed originals of session ${session}, batch ${batch}`
      if (Number(rows) > 1 && batch === undefined)
        this.find('added', `${what}: stands there ${rows} times`, place)
      else if (!mayCome || Number(rows) > 1)
        this.find(
          'added',
          `${what}: no event speaks of it; it was added, or its event is gone`,
          place,
        )
      // Of another gateway, whose events come a little later.
      else if (!(isFresh && this.chains.size > 1))
        this.find('unsigned', `unsigned tail: ${what}: no event speaks of it yet`, place)
    }
  }

  /** Other gateways copy their leaves, and then their heads, every few seconds. */
  isOnItsWay(chain, at) {
    const ours = this.known.find(({ source }) => source === 'gateway')
    const own = readHead(ours?.text)?.chain
    const isOther = own !== undefined && own !== chain && this.chains.get(chain).head !== undefined
    return isOther && Math.abs(this.meta.made - at) < COPIED_MAX
  }

  finishChain() {
    const { chain } = this
    if (chain === undefined) return
    this.takeHeads()
    for (const head of chain.heads.splice(0)) this.takeHead(head)
    const { head, unsigned } = chain
    if (
      head !== undefined &&
      this.isRange &&
      !this.isHeadSigned(chain.headText, chain.signature, head)
    )
      this.find(
        'signature',
        `head ${head.number} of ${when(head.at)}, the last one, is not signed by a key of its chain`,
        { chain: chain.id, head: head.number, at: when(head.at) },
      )
    for (const { place, at } of unsigned)
      if (!this.isOnItsWay(chain.id, at))
        this.find(
          'unsigned',
          `unsigned tail: no signed head covers events ${span(place)} of session ${place.session}`,
          place,
        )
  }

  /** After the last line. */
  finish() {
    this.finishChain()
    if (!this.isEnded) this.find('evidence', 'the file of evidence is cut off')
    this.judgeKnown()
    this.judgeChains()
    if (!this.isRange && this.counts.leaves === 0)
      this.find('missing', `no leaf speaks for session ${this.meta?.scope.session}`, {
        session: this.meta?.scope.session,
      })
    this.judgeEnds()
    this.settleDoubts()
    const open = [...this.sessions].filter(([, { hasEnd }]) => !hasEnd).map(([session]) => session)
    const isBroken = this.findings.some(({ kind }) => kind !== 'unsigned')
    const status = this.findings.length === 0 ? 'intact' : isBroken ? 'broken' : 'unsigned tail'
    const { type, since = 0, session } = this.meta?.scope ?? {}
    return {
      status,
      scope: type === 'session' ? { type, session } : { type: 'range', since: when(since) },
      made: when(this.made),
      ...this.counts,
      open,
      // Of one session: where it ends, or up to where it goes so far.
      ends: this.isRange
        ? []
        : [...this.sessions]
            .filter(([session]) => session === this.meta?.scope.session)
            .map(([session, { end, next }]) => ({
              session,
              event: end?.event ?? next - 1,
              status: end === undefined ? 'open' : 'closed',
              reason: end?.status ?? '',
            })),
      keys: this.roots.map((one) => ({ ...one, isVouched: this.vouched.has(one.chain) })),
      erasures: this.erasures
        .filter(({ events }) => events > 0)
        .map(({ chains: _, ts: __, of: ___, ...one }) => one),
      findings: this.findings,
    }
  }

  settleDoubts() {
    for (const head of this.known.map(({ text, signature }) => ({
      ...readHead(text),
      text,
      signature,
    })))
      if (head.chain !== undefined && this.isHeadSigned(head.text, head.signature, head))
        this.takeRetention(head)
    this.findings = this.findings.filter((finding) => !this.doubts.get(finding)?.())
  }

  /** Heads that others have kept: the record must be at least as new, and the same. */
  judgeKnown() {
    const newest = new Map()
    for (const { source, text, signature, keys = [], isOurs = false } of this.known) {
      // A chain that is not there has no first key here; of one that is, only those that are signed by it count.
      const isThere = (id) => this.roots.some(({ chain }) => chain === id)
      for (const { text, signature } of keys) {
        const key = readKey(text)
        if (key === undefined || this.keys.has(`${key.chain} ${key.id}`)) continue
        const isFirst = key.by === key.id && !isThere(key.chain)
        const signer = isFirst ? key : this.keys.get(`${key.chain} ${key.by}`)
        if (signer !== undefined && isSigned(text, signature, signer.spki))
          this.keys.set(`${key.chain} ${key.id}`, key)
      }
      const head = readHead(text)
      if (head === undefined || !this.isHeadSigned(text, signature, head)) {
        this.find('anchor', `a head from ${source} is not signed by a key of its chain`)
        continue
      }
      if (!isOurs || this.isGatewayTrusted) this.vouched.add(head.chain)
      const place = { chain: head.chain, head: head.number, at: when(head.at) }
      // What came after the evidence was made says nothing about it.
      if (head.at > this.made) continue
      const before = newest.get(`${source} ${head.chain}`)
      if (before !== undefined && head.number <= before.number && text !== before.text)
        this.find(
          'old-head',
          `${source}: head ${head.number} of ${when(head.at)} is an old one that came again after head ${before.number}`,
          place,
        )
      else newest.set(`${source} ${head.chain}`, { ...head, text })
      const chain = this.chains.get(head.chain)
      const root = chain?.roots.get(head.size)
      if (root !== undefined && root !== head.root)
        this.find(
          'fork',
          `${source} has another root of chain ${head.chain} for ${head.size} leaves, at ${when(head.at)}`,
          place,
        )
    }
    for (const [name, { chain: id, number, size, at }] of this.isRange ? newest : []) {
      const chain = this.chains.get(id)
      const source = name.split(' ', 1)[0]
      if (chain?.head !== undefined && chain.head.number >= number && chain.head.size >= size)
        continue
      const end =
        chain?.head === undefined
          ? 'is not there'
          : `ends at head ${chain.head.number} of ${when(chain.head.at)}`
      this.find(
        'rolled-back',
        `rolled back: chain ${id} ${end}, and ${source} knows head ${number} of ${when(at)} with ${size} leaves`,
        { chain: id, head: number, at: when(at) },
      )
    }
  }

  /**
   * A session is of one gateway. Whoever can write into the record store can begin a chain there, and go on in it with a session
   * that has not ended.
   */
  judgeChains() {
    for (const [session, { chains }] of this.sessions) {
      if (chains.size === 1) continue
      const own = [...chains.keys()].find((id) => this.vouched.has(id))
      for (const [id, place] of own === undefined ? [] : chains)
        if (!this.vouched.has(id))
          this.find(
            'added',
            `events ${span(place)} of session ${session} are in chain ${id}, for which nobody vouches; others of it are in chain ${own}`,
            place,
          )
    }
  }

  /** Sessions without their last event, whose gateway is no more. */
  judgeEnds() {
    for (const { killed = [] } of this.chains.values())
      for (const { instance, at } of killed)
        for (const [session, known] of this.sessions)
          if (known.instance === instance && !known.hasEnd)
            this.find(
              'unsigned',
              `unsigned tail: session ${session} has no end after event ${known.next - 1}; its gateway was killed after ${when(at)}`,
              { session, first: known.next, last: known.next, at: when(at) },
            )
  }
}

/** What is said of columns of `sealed` and `sealed_keys`. */
const SEALED_NAMES = {
  ...{ sha256: 'ciphertext', values: 'number of originals', cut: 'number of those left out' },
  ...{ at: 'time', key: 'key of the gateway', event: 'event', nonce: 'nonce', place: 'place' },
  ...{ wrapped: 'wrapped key', recipients: 'recipients' },
}

/** Rows by name; a name may have several. */
function listed(rows, nameOf) {
  const found = new Map()
  for (const row of rows) found.set(nameOf(row), [...(found.get(nameOf(row)) ?? []), row])
  return found
}

/** Numbers of 64 bits come as texts. */
const asLike = (given, like) => (typeof like === 'number' ? Number(given) : given)

const span = ({ first, last }) => (first === last ? String(first) : `${first}–${last}`)

const NOTHING_SAYS = 'nothing says that they are as they were'
const tail = (leaf) =>
  `unsigned tail: events ${span(leaf)} of session ${leaf.session} were signed only by a later run of the gateway`

/** Numbers in order, as pairs of first and last. */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = []
  for (const n of numbers) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === n - 1) last[1] = n
    else found.push([n, n])
  }
  return found
}

/** Of the numbers `first` to `last`, however many a forged leaf may claim, those that are not keys of `seen`. */
function gaps(first, last, seen) {
  /** @type {[number, number][]} */
  const found = []
  if (seen.size === last - first + 1) return found
  let next = first
  for (const seq of [...seen.keys()].sort((a, b) => a - b)) {
    if (seq > next) found.push([next, seq - 1])
    next = seq + 1
  }
  if (next <= last) found.push([next, last])
  return found
}

/** What is said of a report to a person. */
export function describe(report) {
  const {
    ends = [],
    made,
    status,
    events,
    sessions,
    leaves,
    heads,
    keys,
    findings,
    open,
    expired,
    scope,
  } = report
  const lines = findings.map(({ say }) => say)
  for (const [chain, at] of Object.entries(report.pruned))
    lines.push(`chain ${chain}: before ${at} it is past retention`)
  for (const { at, by, kind, name, reason, events } of report.erasures)
    lines.push(
      `what ${events} events said of ${kind} ${name} was erased by ${by} on ${at}: ${reason}`,
    )
  if (expired > 0) lines.push(`${expired} events are gone by retention`)
  if (open.length > 0)
    lines.push(`${open.length} sessions have no end yet: ${open.slice(0, 10).join(', ')}`)
  for (const { session, event, status, reason } of ends)
    lines.push(
      status === 'closed'
        ? `session ${session} ended with event ${event} (${reason}): there is no more of it`
        : `session ${session} goes on after event ${event}, or its gateway was killed: nothing proves that this is all of it`,
    )
  const nobody = ': nobody vouches for it (--key, --anchor, or the gateway that was asked)'
  const first = keys.map(
    ({ chain, key, isVouched }) => `chain ${chain}: first key ${key}${isVouched ? '' : nobody}`,
  )
  const since =
    scope.since === when(0) ? 'the whole record' : `what was recorded since ${scope.since}`
  const of = scope.type === 'session' ? `session ${scope.session}` : since
  lines.push(
    ...first,
    `${status}: ${events} events of ${sessions} sessions, ${leaves} leaves, ${heads} heads; ${of} as of ${made}`,
  )
  return `${lines.map(printable).join('\n')}\n`
}

/** Names come from a file that somebody made: nothing of them is obeyed by a terminal. */
function printable(text) {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu,
    (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`,
  )
}

// ── As a program ───────────────────────────────────────────────────────────────────────────────────────────────────

const USAGE = `usage: node verifier.mjs EVIDENCE [--anchor FILE]… [--key ID]… [--json]
EVIDENCE  what \`sluice audit bundle\` has written
--anchor  signed heads that were kept elsewhere, one JSON object a line
--key     the id of a chain's first public key, as you know it from elsewhere; others are not accepted
exit code 0: intact, 1: something is wrong, or a tail is unsigned; 2: wrong use\n`

async function main(words) {
  const { createReadStream, readFileSync, statSync } = await import('node:fs')
  const { createInterface } = await import('node:readline')
  const flags = { anchor: [], key: [], json: false, file: undefined }
  for (let i = 0; i < words.length; i++) {
    if (words[i] === '--anchor' && words[i + 1] !== undefined) flags.anchor.push(words[++i])
    else if (words[i] === '--key' && words[i + 1] !== undefined) flags.key.push(words[++i])
    else if (words[i] === '--json') flags.json = true
    else if (flags.file === undefined && !words[i].startsWith('-')) flags.file = words[i]
    else return usage()
  }
  if (flags.file === undefined) return usage()
  const anchors = flags.anchor.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  )
  const verifier = new Verifier({ pins: flags.key, anchors })
  const total = statSync(flags.file).size
  let [done, shown] = [0, 0]
  // A bundle is a page around the same lines; the page is not looked at.
  let place = 'begin'
  for await (const line of createInterface({
    input: createReadStream(flags.file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    done += Buffer.byteLength(line) + 1
    if (place === 'begin') place = line.startsWith('<') ? 'page' : 'evidence'
    if (place === 'page' && line === '<script type="application/x-ndjson" id="evidence">') {
      place = 'evidence'
      continue
    }
    if (place === 'evidence' && line === '</script>') place = 'behind'
    if (place !== 'evidence') continue
    verifier.line(JSON.parse(line))
    if (process.stderr.isTTY && Date.now() - shown > 200) {
      shown = Date.now()
      process.stderr.write(
        `\r${Math.floor((done / total) * 100)} %, ${verifier.counts.events} events, ${verifier.findings.length} findings `,
      )
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  const report = verifier.finish()
  if (place === 'behind')
    process.stderr.write(
      'The index of the bundle was not verified: what counts are its lines of evidence.\n',
    )
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : describe(report))
  process.exitCode = report.status === 'intact' ? 0 : 1
}

function usage() {
  process.stderr.write(USAGE)
  process.exitCode = 2
}

/** Whatever it is called: one that says nothing would seem to say that all is well. */
async function isProgram() {
  const [{ realpathSync }, { fileURLToPath }] = await Promise.all([
    import('node:fs'),
    import('node:url'),
  ])
  try {
    return realpathSync(process.argv[1] ?? '') === realpathSync(fileURLToPath(import.meta.url))
  } catch {
    return false
  }
}

isProgram()
  .then((isIt) => (isIt ? main(process.argv.slice(2)) : undefined))
  .catch((error) => {
    process.stderr.write(`${printable(error instanceof Error ? error.message : String(error))}\n`)
    process.exitCode = 2
  })
