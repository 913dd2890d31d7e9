/** Pure. The `detectors:` section of a policy file: detectors of its own, for its masks. */
import { checked, list, parsed, section, text, type Value, withSchema } from '../config/fields.ts'
import {
  type CustomDetector,
  customDetector,
  PATTERN_LENGTH_MAX,
  patternFault,
} from '../mask/custom-detector.ts'
import type { Detector } from '../mask/detectors/detector.ts'

/** With a dash, which no known detector has: what comes later clashes with none of them. */
export const OWN_NAME = '^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$'
const NAME = new RegExp(OWN_NAME)
const NAME_LENGTH_MAX = 60
const DETECTORS_MAX = 50
const WORDS_MAX = 30

const name = withSchema(
  parsed('small letters and digits with a dash, such as badge-number', (name) =>
    NAME.test(name) && name.length <= NAME_LENGTH_MAX ? name : undefined,
  ),
  {
    type: 'string',
    description: 'a name with a dash',
    pattern: OWN_NAME,
    maxLength: NAME_LENGTH_MAX,
  },
)

const word = parsed('a word or a few, letters and digits', (word) =>
  /^[\p{L}\p{M}\p{N}]+(?:[ _-][\p{L}\p{M}\p{N}]+){0,4}$/u.test(word) && word.length <= 40
    ? word
    : undefined,
)

const one = section({
  name,
  pattern: withSchema(checked(text('a pattern of RE2, in quotes'), patternFault), {
    type: 'string',
    description: 'a pattern of RE2',
    maxLength: PATTERN_LENGTH_MAX,
  }),
  words: checked(list(word, { min: 1 }), (words) =>
    words.length > WORDS_MAX ? `expected at most ${WORDS_MAX} words` : undefined,
  ).optional(),
})

export const detectorsForm = checked(list(one), (detectors) => {
  if (detectors.length > DETECTORS_MAX) return `expected at most ${DETECTORS_MAX} detectors`
  const names = detectors.map((detector) => detector.name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  return twice === undefined ? undefined : `${twice} stands here twice`
})

/** Names that the section of an unchecked file gives, for its masks to use. */
export function ownNames(file: unknown): readonly string[] {
  const items: unknown =
    typeof file === 'object' && file !== null ? Object(file).detectors : undefined
  if (!Array.isArray(items)) return []
  return items
    .map((item: unknown) => (typeof item === 'object' && item !== null ? Object(item).name : ''))
    .filter((name: unknown): name is string => typeof name === 'string' && NAME.test(name))
}

export function ownDetectors(
  forms: Value<typeof detectorsForm> | undefined,
): ReadonlyMap<string, Detector> {
  return new Map(
    (forms ?? []).map((form: CustomDetector) => [form.name, customDetector(form)] as const),
  )
}
