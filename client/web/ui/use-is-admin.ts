import { usePresent } from '../state/context.js'
import { accessToken } from '../state/login.js'
import { useRequest } from './use-request.js'

/** Asked for if `isNeeded`; null: it is not known. Roles are those of the login: to renew it tells them. */
export function useIsAdmin(isNeeded = true): boolean | null {
  const { chat, user } = usePresent()
  const answer = useRequest(`roles ${isNeeded}`, async () => {
    if (!isNeeded) return null
    const { roles } = await chat.ask.auth.refresh({ token: await accessToken(user) })
    return roles.includes('admin')
  })
  return answer.state === 'done' ? answer.value : null
}
