/**
 * Pure. A question of the gateway's own with planner settings of its own, for a session outside a transaction: all
 * of one simple query is one transaction there, and what SET LOCAL changed ends with it. What the client set for
 * its own queries (`enable_seqscan = off`, and so compilation of ours) made a question take seconds.
 */

const ON = 'seqscan indexscan bitmapscan nestloop hashjoin mergejoin hashagg sort'.split(' ')

const SETTINGS = [
  'jit = off',
  'max_parallel_workers_per_gather = 0',
  ...ON.map((one) => `enable_${one} = on`),
]

const BEFORE = SETTINGS.map((one) => `SET LOCAL ${one}; `).join('')

export function calm(text: string): string {
  return `${BEFORE}${text}`
}
