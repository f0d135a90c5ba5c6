/** The command `topictalk`, for tests that start it in a process of its own. */
import { fileURLToPath } from 'node:url'

/** Its file, as it is compiled. */
export const COMPILED_CLI = fileURLToPath(new URL('../../broker/cli.js', import.meta.url))

/** `npm test` names a bundle of it, which starts in half the time (`scripts/test.mjs`). */
export const CLI = process.env['TEST_CLI'] ?? COMPILED_CLI
