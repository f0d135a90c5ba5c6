/** Prefix of the HTTP routes. */
export const API = '/v1'
/** Below it: the path of downloads that `account.export` links to. */
export const EXPORTS = '/exports'
