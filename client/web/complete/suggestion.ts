export interface Suggestion {
  readonly key: string
  /** Takes the place of what was written. */
  readonly text: string
  /** Shown before its name. */
  readonly sign: string
  readonly name: string
  readonly hint: string
}
