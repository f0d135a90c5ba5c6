/** fast-check with the seed of `npm test` (random.ts), which a failure prints with the path to the case. */
import fc from 'fast-check'
import { seedOf } from './random.js'

fc.configureGlobal({ seed: seedOf(undefined) })

export default fc
