import type { ChatError } from '../../index.js'
import { entranceProblem } from '../account/entrance-problem.js'
import { texts } from '../text/text.js'
import { settingsTexts } from './texts.js'

/** What was wrong with a password or a code that the person was asked for. */
export function secretProblem(error: ChatError): string {
  if (error.code !== 'unauthorized') return entranceProblem(error)
  return error.field === 'code' ? texts.value.problems.code : settingsTexts.value.wrongPassword
}
