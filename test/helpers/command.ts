/** The command `topictalk`, for tests that start it in a process of its own. */
import { fileURLToPath } from 'node:url'

/** Its file. `npm test` names a bundle of it, which starts in half the time (`scripts/test.mjs`); else what is compiled. */
export const CLI = process.env['TEST_CLI'] ?? fileURLToPath(new URL('../../broker/cli.js', import.meta.url))
