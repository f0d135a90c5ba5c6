/** The routes of logins by an identity provider: they lead a browser on, so they are no commands. */

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
  summary: 'Where a browser begins a login by the identity provider of auth.oidc.',
  tags: ['auth'],
  security: [],
  parameters: [
    query('challenge', true, 'SHA-256 of a verifier that `auth.oidc` will be given, as base64url.'),
    query('returnTo', false, 'Where to come back to, one of auth.oidc.returnTo; without: the first.'),
  ],
  responses: leads('To the provider.'),
}

export const OIDC_CALLBACK: Json = {
  operationId: 'oidcCallback',
  summary: 'Where the identity provider leads the browser back to.',
  tags: ['auth'],
  security: [],
  parameters: [
    query('state', true, 'As the provider was given it.'),
    query('code', false, 'Of the provider.'),
    query('error', false, 'Why the provider refused.'),
  ],
  responses: leads('To `returnTo`, with a `code` for `auth.oidc`, or with an `error`, one of the codes of problems.'),
}
