/** Pure. The flags of the bench commands. */

export interface Options {
  /** Five rounds of one second instead of nine of three. */
  readonly isQuick: boolean
  /** What could not be judged for noise does not fail the command. */
  readonly isNoiseFine: boolean
  readonly only: ReadonlySet<string> | undefined
}

/** Throws for what it does not know: a misspelt work would otherwise be measured as nothing. */
export function options(words: readonly string[], works: readonly string[]): Options {
  const known = [...works, 'ladder']
  let only: ReadonlySet<string> | undefined
  const flags = new Set<string>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at]
    if (word === '--only') {
      only = new Set((words[++at] ?? '').split(','))
      const strange = [...only].find((name) => !known.includes(name))
      if (strange !== undefined)
        throw new Error(`no work ${strange}; there are ${known.join(', ')}`)
    } else if (word === '--quick' || word === '--noise-is-fine') flags.add(word)
    else throw new Error(`unknown option ${word}`)
  }
  return { isQuick: flags.has('--quick'), isNoiseFine: flags.has('--noise-is-fine'), only }
}
