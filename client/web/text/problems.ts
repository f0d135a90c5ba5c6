/** What went wrong, for a person. */
import type { ChatError } from '../../index.js'
import { texts } from './text.js'

export function problemText({ code, field, retryAfter }: ChatError): string {
  const { problems } = texts.value
  if (code === 'unauthorized') return field === 'code' ? problems.code : problems.login
  if (code === 'conflict' && field === 'user') return problems.nameTaken
  if (code === 'conflict' && field === 'room') return problems.roomTaken
  if (code === 'bad_request' && field === 'user') return problems.name
  if (code === 'bad_request' && field === 'room') return problems.roomName
  if (code === 'bad_request' && field === 'password') return problems.password
  if (code === 'forbidden' && field === 'invite') return problems.invite
  if (field?.startsWith('attachments')) return fileProblem(code)
  if (code === 'rate_limited') return problems.tooFast(Math.ceil(retryAfter ?? 0))
  if (code === 'offline' || code === 'timeout' || code === 'closed') return problems.offline
  const known: Readonly<Record<string, string>> = {
    forbidden: problems.forbidden,
    not_found: problems.notFound,
    too_large: problems.tooLarge,
    storage: problems.storage,
    unavailable: problems.unavailable,
  }
  return known[code] ?? problems.other
}

/** Of a file that the broker does not take. */
function fileProblem(code: ChatError['code']): string {
  const { files, problems } = texts.value
  const known: Readonly<Record<string, string>> = {
    forbidden: files.blocked,
    bad_request: files.unreadable,
    not_found: files.gone,
    too_large: files.noSpace,
    storage: files.gone,
  }
  return known[code] ?? problems.other
}
