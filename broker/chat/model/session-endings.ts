/**
 * Sessions of the user end: all of them, or the one with this id, or those that logged in with this credential. `deleteState`: their stored
 * state is deleted too. `except`: id of a session that stays. `others`: this session stays, and with a login all that use it. `afterAcks`: what each of them published is acknowledged first.
 */
export interface SessionEnding {
  readonly user: string
  readonly deleteState: boolean
  readonly session?: string
  readonly login?: string
  readonly except?: string | null
  readonly others?: { readonly session: string | null; readonly login: string | null }
  readonly afterAcks?: boolean
}

/** Whether it is the session itself, or one of its login, if it has one. An event stream has no id of a session. */
export function isOwn(
  { session, login }: NonNullable<SessionEnding['others']>,
  one: { readonly id?: string; readonly login?: string | null },
): boolean {
  return (one.id !== undefined && one.id === session) || (login !== null && one.login === login)
}

/**
 * Ends those that are connected to this node, at once, and deletes what is stored of those that are not connected. Other nodes end theirs because
 * of what is stored: that their login is valid no more.
 */
export type EndSessions = (ending: SessionEnding) => void

/**
 * Ends sessions after the answer to the request that ended them: the asking session may be one of them. By the next turn of the event loop the
 * answer is sent, and the ack is in the lane of its connection, which is empty before the connection ends.
 */
export function endAfterAnswer(end: EndSessions, ending: Omit<SessionEnding, 'afterAcks'>): void {
  setImmediate(() => end({ ...ending, afterAcks: true }))
}
