const refused = { $ref: '#/components/responses/Refused' }

/** Error responses of every operation in the OpenAPI document. */
export const REFUSALS = { '4XX': refused, default: refused }
