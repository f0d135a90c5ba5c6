/** One with a room is shown beside that room alone. */
export type Panel =
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'members'; readonly room: string }
  | { readonly kind: 'person'; readonly room: string; readonly user: string }
  | { readonly kind: 'roomSettings'; readonly room: string }
  | { readonly kind: 'invite'; readonly room: string }
  | { readonly kind: 'joinRequests'; readonly room: string }
  | { readonly kind: 'bans'; readonly room: string }
  | { readonly kind: 'reports'; readonly room: string }
  | { readonly kind: 'pins'; readonly room: string }
  | { readonly kind: 'threads'; readonly room: string }
  /** `at`: the reply that it begins at; left out: the last one. */
  | { readonly kind: 'thread'; readonly room: string; readonly seq: number; readonly at?: number }
  | { readonly kind: 'search'; readonly query?: string; readonly filters?: SearchFilters }
  | { readonly kind: 'mentions' }
  | { readonly kind: 'saved' }
  | { readonly kind: 'followed' }

export type PanelOfKind<K extends Panel['kind']> = Extract<Panel, { kind: K }>

/** As they were entered; days as `yyyy-mm-dd` of this device. */
export interface SearchFilters {
  readonly room?: string
  readonly from?: string
  readonly since?: string
  readonly until?: string
}
