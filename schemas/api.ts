/** Where the HTTP routes begin. */
export const API = '/v1'
/** Below it: where the exports are that `account.export` gives links to. */
export const EXPORTS = '/exports'
