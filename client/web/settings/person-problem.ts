import type { ChatError } from '../../index.js'
import { problemText } from '../text/problems.js'
import { settingsTexts } from './texts.js'

/** What was wrong with a user whom the person has named. */
export function personProblem(error: ChatError): string {
  const t = settingsTexts.value
  if (error.code === 'not_found' || error.code === 'bad_request') return t.noSuchUser
  return error.code === 'forbidden' ? t.notAsked : problemText(error)
}
