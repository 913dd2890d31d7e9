/**
 * Pure. Every kind of recorded event, in words: when there is one, and what its fields say. `events.md` is made of this table,
 * and a test holds the two together. What all kinds share stands in README.md of this folder.
 *
 * A kind, or a field of one, is added and never given another meaning: rows are kept for years, and canonical.ts numbers the
 * encoding by which they are hashed.
 */
import type { MomentKind } from './event.ts'

export type EventKind = 'action' | 'outcome' | 'response' | MomentKind

export interface KindInWords {
  /** When it is recorded. */
  readonly when: string
  /** Column → what it says. Columns that are not named are empty, 0, or the session's. */
  readonly fields: Readonly<Record<string, string>>
}

const DECIDED = {
  class: 'the highest class of the action',
  verb: 'what it does, in a word',
  verdict:
    '`allow`, or why it was refused: `denied`, `not_allowed`, `not_understood`, `over_limit`',
  rule: 'the rule that decided; under `mode: monitor` the one that would have refused',
  policy_version:
    'version of the policy, counted from 1 in each run (`instance`); its text is in events of kind `policy`',
  request_id: 'the request for approval that it used, when there will be requests',
} as const

export const EVENT_KINDS: Readonly<Record<EventKind, KindInWords>> = {
  action: {
    when: 'before anything of an action is forwarded, or with its refusal',
    fields: {
      ...DECIDED,
      objects: 'what it touches, names resolved by the target’s catalogue',
      statement: 'its text, with what masks hide replaced; at most `limits.statement_bytes_max`',
      statement_hash: 'HMAC-SHA-256 of the exact text with the deployment’s key, 32 hex digits',
      params:
        'values of parameters, masked likewise; each up to 1 KiB and all up to 64 KiB, a cut one ends in `… (n characters)` or `… (n bytes)`',
      facts: 'JSON of all facts but text and values, for backtests',
      bytes_up: 'bytes of its messages from the client',
      parse_us: 'microseconds of understanding the text',
      decide_us: 'microseconds from the client’s bytes to the verdict, without parsing',
      wait_us: 'microseconds that a person was waited for',
    },
  },
  outcome: {
    when: 'at the end of an action; `action_seq` says of which. An action without one has status `unknown`',
    fields: {
      ...DECIDED,
      status:
        '`ok`, `suspended` (a portal that has more), `error`, `refused`, `skipped` (an error before it), `cut` (the session ended first)',
      error: 'SQLSTATE or its like; never a message',
      rows: 'rows to the client, or rows that the target says it changed',
      bytes_down: 'bytes of its result to the client',
      upstream_us: 'microseconds from forwarding to the end, without our own',
      gateway_us: 'microseconds that the gateway added',
      masked: 'column or detector → values that masks replaced in the result',
      payload: 'what the client received, as frames, masked; behind the parts of kind `response`',
      payload_cut: 'more was received than `recorder.response_bytes_max`, and the rest is not here',
    },
  },
  response: {
    when: 'while a long result goes by: a part of its payload, in order, before the outcome',
    fields: { ...DECIDED, payload: 'the next part' },
  },
  login: {
    when: 'a session begins: somebody is known, and may open this target',
    fields: { status: '`ok`', text: 'JSON: `user`, the name that the client claimed' },
  },
  login_refused: {
    when: 'a credential, a target or a limit let nobody in; also at the control API, with protocol `control`',
    fields: { status: 'code of the error', text: 'the sentence that the client read' },
  },
  close: {
    when: 'a session is over: its last event, behind which there is none',
    fields: {
      status:
        '`terminated`, `client closed`, `target closed`, or the code of the error that ended it; `GW_RECORDING_LOST` also where a client left in order and its last answers, whose outcomes stand as the target told them, were never sent',
      text: 'JSON, the session in numbers: `statements`, `rows`, `bytes`, `masked_values`',
    },
  },
  own: {
    when: 'the gateway itself sends something to the target',
    fields: {
      status:
        '`catalogue` (what names mean), `replacement` (a message that must fail, for a refused one), `cancel`',
      text: 'of a replacement the action’s id, of a cancel why',
    },
  },
  cancel: { when: 'the client’s cancel request was passed on', fields: {} },
  notice: {
    when: 'something happened that is a signal, and stops nothing',
    fields: { status: 'the signal', text: 'what it was about, without values' },
  },
  admin: {
    when: 'before a call of the control API takes effect (protocol `control`); also what the gateway does to records by itself',
    fields: { status: 'what was done', text: 'to what: a path, an id, or JSON' },
  },
  sealed: {
    when: 'a batch of originals that masks replaced was encrypted and written down, before what was masked was forwarded',
    fields: {
      text: 'JSON: `batch`, `values`, `cut` (values over the cap of an action, which are not kept), `bytes` and `sha256` of the ciphertext, `action` (number of the first one), `at` and `key` (columns `ts` and `key_id` of its row); the first one of a session also `wrap`: `sha256` and `recipients` of the wrapped key',
    },
  },
  policy: {
    when: 'a version of the policy came into force, at a start or a reload (protocol `control`): one event a file, and one for all',
    fields: {
      status: 'its version',
      text: 'JSON: `version`, `file`, `sha256` and `text`; of the last one `version` and `files`',
    },
  },
}
