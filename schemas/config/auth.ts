/** The section `auth` of the configuration. */
import Type from 'typebox'
import { webhookSecret } from '../webhooks.js'
import { count, duration, flag, optionalText, section } from './fields.js'

export const auth = section('Who may log in.', {
  anonymous: flag(false, 'Let clients in without credentials, as the user anonymous: only acl.rules speak for it.'),
  registration: Type.Enum(['open', 'invite', 'closed'], {
    default: 'open',
    description: 'Who may make an account: open (anyone), invite (who has an invitation of an admin), or closed.',
  }),
  tokenTtl: duration('1h', 'How long an access token of auth.login lives.'),
  refreshTtl: duration('30d', 'How long a login goes on without being refreshed.'),
  refreshGrace: duration(
    '10s',
    'A refresh token may be shown again for that long after its first use, as by two windows at once; later that ends the login.',
  ),
  onRefused: Type.Enum(['ack', 'close'], {
    default: 'ack',
    description:
      'What a permanently refused publish gets before MQTT 5: an ack and an error reply, or a closed connection.',
  }),
  hooks: optionalText(
    'Path of a module exporting authenticate, authorizePublish or authorizeSubscribe; they only narrow.',
  ),
  hooksTimeout: duration('5s', 'A hook that has not answered by then denies.'),
  maxConcurrentHashes: count(2, 'Passwords hashed at the same time; more would delay log writes.', 1, 64),
  throttle: section('Failed password logins.', {
    attempts: count(10, 'Failures of one user from one address before logins are refused for a window, then doubling.'),
    addressAttempts: count(100, 'Failures from one address, whatever the user.'),
    accountAttempts: count(
      30,
      'Failures of one user in a window from wherever it did not log in before; more are slowed down to that many a window.',
    ),
    registrations: count(
      20,
      'Accounts asked for from one address, before more are refused for a window, then doubling.',
    ),
    window: duration('1m', 'How long failures are remembered, and the first refusal lasts.'),
  }),
  jwt: section('Tokens as passwords.', {
    secret: optionalText(
      'HS256 secret. With publicKey null too, the first start creates the file secret in the data directory.',
      {
        secret: true,
      },
    ),
    publicKey: optionalText('RSA, EC or Ed25519 public key, as PEM text or the path of a PEM file.'),
    jwks: optionalText(
      'URL of a JSON Web Key Set with the public keys of whoever signs tokens; https, or http on this machine.',
    ),
    jwksMaxAge: duration('10m', 'How long keys of jwks are used before they are asked for again.'),
    jwksCooldown: duration('30s', 'jwks is asked at most that often, whatever unknown keys tokens name.'),
    issuer: optionalText('Required iss claim.'),
    audience: optionalText('Required aud claim.'),
    userClaim: Type.String({ minLength: 1, default: 'sub', description: 'The claim that names the user.' }),
    leeway: duration(
      '5s',
      'How much later than here it may be where tokens are signed: one may begin (nbf) that much ahead.',
    ),
  }),
  oidc: section(
    'People of an identity provider log in with a browser (OpenID Connect, authorization code with PKCE).',
    {
      issuer: optionalText('The provider, such as https://id.example.com; null: none.'),
      clientId: optionalText('What the provider calls this broker.'),
      clientSecret: optionalText('What the broker proves that with; null: it is a public client.', { secret: true }),
      redirectUri: optionalText('Address of /v1/auth/oidc/callback as browsers see it; the provider has to know it.'),
      returnTo: Type.Array(Type.String({ minLength: 1 }), {
        default: [],
        description: 'Addresses that a login may lead back to, whole; the first is the one where none is asked for.',
      }),
      scopes: Type.Array(Type.String({ minLength: 1 }), { default: ['openid'], description: 'What is asked for.' }),
      userClaim: Type.String({ minLength: 1, default: 'sub', description: 'The claim that names the user.' }),
      rolesClaim: optionalText('The claim, a list, that gives the roles of the account; null: they stay as they are.'),
      linkExisting: flag(
        false,
        'An account there is already, with a password or not, may become that of whom the provider names so.',
      ),
    },
  ),
  x509: section('Client certificates of an authority of listen.tls.ca, at the TLS listeners.', {
    name: Type.Enum(['off', 'cn', 'email', 'dns'], {
      default: 'off',
      description:
        'What of a certificate is the user it logs in: cn (common name), email or dns (alternative names); off: none.',
    }),
    role: optionalText('Role of who logs in by certificate, beside those of the account, such as device.'),
    required: flag(false, 'No connection over TLS without a certificate that counts.'),
  }),
  http: section(
    'A backend of yours that says who someone is and what they may do. No answer, or a wrong one, denies.',
    {
      login: optionalText(
        'URL that is asked who someone is whom this broker does not know; https, or http on this machine.',
      ),
      publish: optionalText('URL that is asked who may publish what; it only narrows.'),
      subscribe: optionalText('URL that is asked who may subscribe to what; it only narrows.'),
      secret: Type.Union([webhookSecret, Type.Null()], {
        default: null,
        secret: true,
        description:
          'What requests are signed with, as webhooks are: whsec_ and 24 to 64 bytes in base64. Null: they are not signed.',
      }),
      timeout: duration('5s', 'An answer that has not come by then denies.'),
      cache: duration('60s', 'How long an answer counts; 0 asks every time.'),
      maxConcurrent: count(32, 'Requests under way at the same time; more wait, no longer than timeout.', 1, 1024),
    },
  ),
})
