/** Pages of lists that are ordered by user id. */
export interface PageParams {
  after?: string
  limit?: number
}

export function pageOf<T extends { user: string }>(all: Iterable<T>, { after = '', limit = 100 }: PageParams) {
  const rest = [...all].filter(({ user }) => user > after).sort((a, b) => (a.user < b.user ? -1 : 1))
  return { items: rest.slice(0, limit), more: rest.length > limit }
}

/** The record without `room`, which the client knows. */
export function withoutRoom<T extends { room: string }>({ room: _, ...record }: T) {
  return record
}
