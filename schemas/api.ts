/** Where the HTTP routes begin. */
export const API = '/v1'
