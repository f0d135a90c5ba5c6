/** Who says whether a file may be served: a server of the operator, or a function of theirs. */
import type { ScanVerdict } from '../../chat/files/file-verdicts.js'

export interface ScannedFile {
  readonly file: string
  /** Who uploaded it. */
  readonly user: string
  readonly name: string | null
  /** Media type by its bytes. */
  readonly mime: string
  readonly size: number
  /** SHA-256 of the bytes, base64url. */
  readonly hash: string
}

export interface Scanner {
  /**
   * @param path Of the bytes
   * @param timeout Seconds
   * Rejects if there is no verdict by then.
   */
  scan(file: ScannedFile, path: string, timeout: number): Promise<ScanVerdict>
}
