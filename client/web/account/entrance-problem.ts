import type { ChatError } from '../../index.js'
import { problemText } from '../text/problems.js'
import { accountTexts } from './texts.js'

/** What went wrong for somebody who is not logged in. */
export function entranceProblem(error: ChatError): string {
  const t = accountTexts.value
  const { code, field, retryAfter = 0 } = error
  if (code === 'rate_limited') return t.tooManyTries(retryAfter)
  if (code === 'forbidden' && field === 'user') return t.suspended
  return problemText(error)
}
