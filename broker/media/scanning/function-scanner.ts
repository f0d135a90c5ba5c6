import type { ScanFile } from '../../auth/hooks.js'
import type { ScanVerdict } from '../../chat/files/file-verdicts.js'
import type { ScannedFile, Scanner } from './scanner.js'

/** The function `scanFile` of hooks. */
export class FunctionScanner implements Scanner {
  readonly #scanFile: ScanFile

  constructor(scanFile: ScanFile) {
    this.#scanFile = scanFile
  }

  async scan(file: ScannedFile, path: string, timeout: number): Promise<ScanVerdict> {
    return (await this.#scanFile({ ...file, path }, timeout)) ? { clean: true } : { clean: false, reason: null }
  }
}
