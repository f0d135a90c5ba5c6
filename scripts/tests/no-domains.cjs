/**
 * Loaded into the process of a test before tap, which follows every promise and every timer with hooks to tell which test an uncaught error
 * belongs to: a tenth of the CPU of tests. Without them an uncaught error ends the file, or fails it as a whole; what a test throws or rejects
 * with itself fails that test, as before.
 */
const hooks = require('node:async_hooks')
const { syncBuiltinESMExports } = require('node:module')

const inert = { enable: () => inert, disable: () => inert }
hooks.createHook = () => inert
syncBuiltinESMExports()
