/** `npm run test:s3`: the tests of files in a bucket against OpenStack Swift, which is started for it. `npm test` has a stand-in. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSwift } from './tests/swift.mjs'

const directory = mkdtempSync(join(tmpdir(), 'topictalk-swift-'))
try {
  const { env, stop } = await startSwift(directory)
  try {
    const tests = spawn(process.execPath, ['scripts/test.mjs', 'chat/media-s3'], {
      env: { ...process.env, ...env },
      stdio: 'inherit',
    })
    const [code] = await once(tests, 'exit')
    process.exitCode = code ?? 1
  } finally {
    await stop()
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
