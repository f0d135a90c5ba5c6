/** Routes for logins by an identity provider. They redirect a browser, so they are not commands. */

import type { Json } from './components.js'
import { REFUSALS } from './refusals.js'

const query = (name: string, required: boolean, description: string): Json => ({
  ...{ name, in: 'query', required, description },
  schema: { type: 'string' },
})

const leads = (description: string): Json => ({
  '302': { description, headers: { Location: { schema: { type: 'string' } } } },
  ...REFUSALS,
})

export const OIDC_START: Json = {
  operationId: 'oidcStart',
  summary: 'Redirects a browser to the identity provider of auth.oidc, to log in.',
  tags: ['auth'],
  security: [],
  parameters: [
    query('challenge', true, 'SHA-256 of a verifier that `auth.oidc` will be given, as base64url.'),
    query('returnTo', false, 'The address to return to, one of auth.oidc.returnTo; left out: the first.'),
  ],
  responses: leads('To the provider.'),
}

export const OIDC_CALLBACK: Json = {
  operationId: 'oidcCallback',
  summary: 'The address to which the identity provider redirects the browser.',
  tags: ['auth'],
  security: [],
  parameters: [
    query('state', true, 'As the provider was given it.'),
    query('code', false, 'Of the provider.'),
    query('error', false, 'Why the provider refused.'),
  ],
  responses: leads('To `returnTo`, with a `code` for `auth.oidc`, or with an `error`, one of the codes of problems.'),
}
