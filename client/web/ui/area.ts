/** Where a message is written; null: it is not shown. */
export interface Area {
  readonly current: HTMLTextAreaElement | null
}
