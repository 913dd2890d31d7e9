/**
 * Pure. Which texts of PostgreSQL's errors and notices may be shown while a column mask applies, by
 * SQLSTATE and never by their words, which depend on lc_messages. Judged by reading the sources of
 * PostgreSQL 15–18. https://www.postgresql.org/docs/18/errcodes-appendix.html
 */

/**
 * The primary message holds fixed words, names of objects and types, numbers of processes: no
 * stored value.
 */
export const MESSAGE_HARMLESS: ReadonlySet<string> = new Set([
  // Connection and resources.
  '08000',
  '08003',
  '08006',
  '08P01',
  '53000',
  '53100',
  '53200',
  '53300',
  '53400',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P04',
  '57P05',
  '58000',
  '58030',
  // Transactions, cursors and locks.
  '25000',
  '25001',
  '25006',
  '25P01',
  '25P02',
  '25P03',
  '25P04',
  '2D000',
  '3B001',
  '34000',
  '24000',
  '26000',
  '40001',
  '40002',
  '40003',
  '40P01',
  '55006',
  '55P03',
  '0B000',
  // Constraints: the message names them, the detail quotes the row.
  '23000',
  '23001',
  '23502',
  '23503',
  '23505',
  '23514',
  '23P01',
  '44000',
  // Arithmetic, and lengths: `value too long for type character varying(5)`.
  '22001',
  '22012',
  // Rights and roles.
  '42501',
  '28000',
  '28P01',
  '0L000',
  '0LP01',
  '0P000',
  // Objects that exist already or are depended upon.
  '42P03',
  '42P04',
  '42P05',
  '42P06',
  '42P07',
  '42710',
  '42723',
  '42701',
  '2BP01',
  '42P16',
  '42P17',
  '42611',
])

/**
 * With a position in the client's own text (field P): found while that text was parsed and
 * analysed, so all that the message, detail and hint can quote is that text and names. Without one
 * the same codes may come from a cast at run time (`email::regclass` gives 42P01 and quotes the
 * address). The same goes for 22P02: with a position it is about a literal that the client wrote.
 */
export const HARMLESS_WITH_POSITION: ReadonlySet<string> = new Set([
  '42601',
  '42P01',
  '42P02',
  '42P08',
  '42P09',
  '42P10',
  '42P18',
  '42P19',
  '42P20',
  '42P21',
  '42P22',
  '42602',
  '42622',
  '42702',
  '42703',
  '42704',
  '42712',
  '42725',
  '42803',
  '42804',
  '42809',
  '42846',
  '42883',
  '42939',
  '0A000',
  '22P02',
  '22007',
  '3F000',
  '42000',
  '42830',
])

/** Of these, what quotes a literal of the client's text: it may be meant for a masked column. */
export const QUOTES_LITERALS: ReadonlySet<string> = new Set(['42601', '22P02', '22007'])

/** The detail lists names of objects or processes. */
export const DETAIL_HARMLESS: ReadonlySet<string> = new Set(['2BP01', '40P01', '42501', '55006'])
