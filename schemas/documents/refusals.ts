const refused = { $ref: '#/components/responses/Refused' }

/** What every operation of the OpenAPI document may answer in place of its result. */
export const REFUSALS = { '4XX': refused, default: refused }
