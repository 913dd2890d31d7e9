/** Pure. Guards of values on the wire: text and binary, arrays and rows, COPY, errors and notices, values cut in pieces. */
import type { Guard } from './guard.ts'

const HERE = 'src/protocols/postgres'
const TESTS = 'test/protocols/postgres'
const CONTRACT = 'test/contract/contract.test.ts'

export const FORMAT_GUARDS: readonly Guard[] = [
  {
    id: 'types-without-form',
    against: 'numeric, dates, ranges, composites: types without a masked form, text and binary',
    file: `${HERE}/mask-value.ts`,
    from: "if (transform.type !== 'pseudonym' || !isNumber(plan.family)) return null",
    to: "if (transform.type !== 'pseudonym' || !isNumber(plan.family)) return Buffer.from(value)",
    fails: {
      [`${TESTS}/mask-value.test.ts`]: ['types without a masked form become NULL, in both formats'],
    },
  },
  {
    id: 'jsonb-version',
    against: 'jsonb in binary',
    file: `${HERE}/mask-value.ts`,
    from: 'const masked = transformJson(value.subarray(1), transform, key)',
    to: 'const masked = Buffer.from(value.subarray(1))',
    fails: { [`${TESTS}/mask-value.test.ts`]: ['jsonb in binary keeps its version byte'] },
  },
  {
    id: 'bytea-escape',
    against: '`bytea` in hex and escape form',
    file: `${HERE}/mask-value.ts`,
    from: "if (text.startsWith('\\\\x')) return Buffer.from(text.substring(2), 'hex')",
    to: "if (text.startsWith('\\\\x')) return undefined",
    fails: {
      [`${TESTS}/mask-value.test.ts`]: ['bytea is hashed alike in binary, hex and escape form'],
    },
  },
  {
    id: 'arrays',
    against: 'arrays, text and binary',
    file: `${HERE}/mask-value.ts`,
    from: '(value) => (binary ? maskArrayBinary(value, inner) : maskArrayText(value, inner)),',
    to: '(value) => (value === undefined ? maskArrayBinary(value, inner) : undefined),',
    fails: { [`${TESTS}/mask-value.test.ts`]: ['detectors look into json, jsonb, arrays of them'] },
  },
  {
    id: 'composites',
    against: 'composites, and arrays of any type',
    file: `${HERE}/mask-value.ts`,
    from: 'return whole(binary ? nestedBinary(plan, spans) : nestedText(family, spans), spans)',
    to: 'return () => undefined',
    fails: {
      [`${TESTS}/mask-value.test.ts`]: [
        'detectors look into rows and arrays of any type by what a binary value names',
        'detectors look into rows and arrays of any type in text',
      ],
    },
  },
  {
    id: 'broken-inner-forms',
    against: 'values that are not written as their type says',
    file: `${HERE}/mask-value.ts`,
    from: "return masked === 'malformed' ? hideOnHit(value, spans) : masked",
    to: "return masked === 'malformed' ? undefined : masked",
    fails: {
      [`${TESTS}/mask-value.test.ts`]: [
        'where the inner form is unknown or broken a hit hides all',
      ],
    },
  },
  {
    id: 'escapes',
    against: 'JSON escapes that hide characters from a look at the bytes',
    file: `${HERE}/mask.ts`,
    from: 'const backslash = this.#escapes ? bytes.indexOf(BACKSLASH, start) : -1',
    to: 'const backslash = -1',
    fails: { [`${TESTS}/mask.test.ts`]: ['are said to stay only if they do'] },
  },
  {
    id: 'malformed-rows',
    against: 'rows of a hostile target that do not add up',
    file: `${HERE}/mask.ts`,
    from: '    if (at !== end) return false\n',
    to: '',
    fails: {
      [`${TESTS}/mask.test.ts`]: ['that does not add up is malformed, and nothing is written'],
    },
  },
  {
    id: 'rows-by-column',
    against: 'a masked column in rows that a cheap look would let pass',
    file: `${HERE}/mask.ts`,
    from: '    if (this.#byColumn) return true\n',
    to: '',
    fails: {
      [CONTRACT]: ["'rows-masked.wire'", "'rows-masked-binary.wire'"],
    },
  },
  {
    id: 'copy-escapes',
    against: 'escapes in COPY',
    file: `${HERE}/mask-copy.ts`,
    from: `    const masked = field.escaped
      ? this.#maskDecoded(bytes, masker)
      : maskPlain(bytes, field, masker)`,
    to: '    const masked = maskPlain(bytes, field, masker)',
    fails: { [`${TESTS}/mask-copy.test.ts`]: ['escapes are undone before detectors look'] },
  },
  {
    id: 'copy-cut',
    against: 'a value cut across reads',
    file: `${HERE}/mask-copy.ts`,
    from: '        if (end >= 0) this.#flush(1, sink)\n',
    to: '        this.#flush(end >= 0 ? 1 : 0, sink)\n',
    fails: {
      [`${TESTS}/mask-copy.test.ts`]: ['wherever the data is cut, what comes out is the same'],
    },
  },
  {
    id: 'copy-oversize',
    against: 'a row bigger than the buffer',
    file: `${HERE}/mask-copy.ts`,
    from: 'if (kept + (end < 0 ? body.length : end) - at > this.#plan.rowBytesMax) {',
    to: 'if (false) {',
    fails: { [`${TESTS}/mask-copy.test.ts`]: ['a row that is too long ends it'] },
  },
  {
    id: 'copy-null',
    against: 'the mark of NULL in COPY as a guess',
    file: `${HERE}/mask-refusals.ts`,
    from: "if (guesses && copy.format === 'text' && copy.nullText !== '\\\\N') {",
    to: 'if (false) {',
    fails: {
      [`${TESTS}/mask-refusals.test.ts`]: [
        'COPY TO STDOUT is refused where its rows could not be told apart',
      ],
    },
  },
  {
    id: 'formats-per-portal',
    against: 'binary where text is expected: FORMAT changes per portal',
    file: `${HERE}/results.ts`,
    from: 'const fields = formats === undefined ? described.fields : formatted(described.fields, formats)',
    to: 'const fields = described.fields',
    fails: {
      [CONTRACT]: [
        "'rows-masked-formats.wire': 'One statement, described once, and a …' goes as written, one byte at a time",
      ],
    },
  },
  {
    id: 'errors',
    against: 'error texts (`Key (email)=(…) already exists`, casts that quote the value)',
    file: `${HERE}/mask-error.ts`,
    from: 'if (masks.columns && !isHarmless(type, fields, masks.quotes === true)) {',
    to: 'if (false) {',
    fails: {
      [`${TESTS}/mask-error.test.ts`]: [
        'a message that carries names only stays, its detail does not',
        'a message that may quote a value is replaced, in whatever language it is',
      ],
      [CONTRACT]: ["'errors-masked.wire'"],
    },
  },
  {
    id: 'raised',
    against: 'NOTICE and RAISE',
    file: `${HERE}/mask-error.ts`,
    from: "if (code === RAISED || has('W') || has('q')) return false",
    to: 'if (false) return false',
    fails: {
      [`${TESTS}/mask-error.test.ts`]: [
        'what code raised is hidden whole, whatever code it gives itself',
      ],
    },
  },
  {
    id: 'raised-names',
    against: 'NOTICE and RAISE (`USING SCHEMA = email`, where no context says that code raised it)',
    file: `${HERE}/mask-error.ts`,
    from: 'return WITH_NAMES.test(code)',
    to: 'return true',
    fails: {
      [`${TESTS}/mask-error.test.ts`]: [
        'what code raised is hidden whole, whatever code it gives itself',
      ],
    },
  },
  {
    id: 'notifications',
    against: 'NOTIFY payloads',
    file: `${HERE}/mask-error.ts`,
    from: '  sink.zeroTerminated(REDACTED)\n',
    to: '  sink.append(frame, channelEnd + 1, payloadEnd + 1)\n',
    fails: { [`${TESTS}/mask-error.test.ts`]: ['the payload of a notification is redacted'] },
  },
  {
    id: 'writers',
    against: 'guesses written and compared by their hash',
    file: 'src/mask/plan.ts',
    from: 'const transform = toWriter ? forWriter(shown, nature.family) : shown',
    to: 'const transform = shown',
    fails: {
      'test/mask/plan.test.ts': ['one who may write sees no masked form that could be tried out'],
    },
  },
  {
    id: 'expressions-in-rows',
    against: 'an expression that the SQL layer did not follow',
    file: 'src/mask/plan.ts',
    from: "if (field.relation === 0) return options.touchesMasked ? 'expression' : undefined",
    to: 'if (field.relation === 0) return undefined',
    fails: {
      'test/mask/plan.test.ts': [
        'the net below: expressions, whole rows and unknown relations are redacted',
      ],
    },
  },
  {
    id: 'unknown-in-rows',
    against: 'columns of a relation that the catalogue does not show, made in an open transaction',
    file: 'src/mask/plan.ts',
    from: "if (!options.known(field.relation)) return 'unknown relation'",
    to: 'if (false) return undefined',
    fails: {
      'test/mask/plan.test.ts': [
        'the net below: expressions, whole rows and unknown relations are redacted',
      ],
    },
  },
  {
    id: 'met-literals-in-record',
    against:
      'a hidden value in recordings: literals that meet a masked column elsewhere than in WHERE',
    file: 'src/protocols/postgres/session-masks.ts',
    from: 'statement.mask.meets === true ||',
    to: '',
    fails: {
      'test/protocols/postgres/session-masks.test.ts': ['wherever they meet it'],
    },
  },
  {
    id: 'quoted-literals-in-record',
    against: 'a hidden value in recordings: errors that quote what was written to a masked column',
    file: 'src/protocols/postgres/results.ts',
    from: '      quotes: true,\n',
    to: '',
    fails: {
      'test/protocols/postgres/session-masks.test.ts': ['nor does an error that quotes one'],
    },
  },
]
