/** IO (files). The questions that come with the gateway. */
import { readFileSync } from 'node:fs'
import { type AuditQuestion, parseQuestions } from './questions.ts'

let questions: readonly AuditQuestion[] | undefined

export function builtInQuestions(): readonly AuditQuestion[] {
  questions ??= parseQuestions(readFileSync(new URL('./questions.sql', import.meta.url), 'utf8'))
  return questions
}
