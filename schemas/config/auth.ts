/** The section `auth` of the configuration. */
import Type from 'typebox'
import { webhookSecret } from '../webhooks.js'
import { count, duration, flag, optionalText, section } from './fields.js'

export const auth = section('Who may log in.', {
  anonymous: flag(
    false,
    'Accept clients without credentials, as the user anonymous, which may do only what acl.rules allow.',
  ),
  registration: Type.Enum(['open', 'invite', 'closed'], {
    default: 'open',
    description:
      'Who may create an account: open (anyone), invite (with an invitation of an admin), or closed (nobody).',
  }),
  tokenTtl: duration('1h', 'Lifetime of an access token of auth.login.'),
  refreshTtl: duration('30d', 'How long a login lasts without being refreshed.'),
  refreshGrace: duration(
    '60s',
    'A used refresh token is accepted again for that long, as from windows that refresh at once; later it ends the login.',
  ),
  onRefused: Type.Enum(['ack', 'close'], {
    default: 'ack',
    description:
      'What a permanently refused publish gets before MQTT 5: an acknowledgement and an error reply, or a closed connection.',
  }),
  hooks: optionalText(
    'Path of a module exporting authenticate, authorizePublish, authorizeSubscribe or scanFile; they only narrow.',
  ),
  hooksTimeout: duration('5s', 'A hook that has not answered by then denies.'),
  maxConcurrentHashes: count(2, 'Passwords hashed at the same time; more delay writes to the log.', 1, 64),
  throttle: section('Failed password logins.', {
    attempts: count(10, 'Failures of one user from one address before logins are refused for a window, then doubling.'),
    addressAttempts: count(100, 'Failures from one address, whatever the user.'),
    accountAttempts: count(
      30,
      'Failures of one user per window, from networks where it has not logged in for 30 days; more are slowed to that rate.',
    ),
    registrations: count(20, 'Registrations from one address, before more are refused for a window, then doubling.'),
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
      'URL of a JSON Web Key Set with the public keys of the token issuer; https, or http on this machine.',
    ),
    jwksMaxAge: duration('10m', 'How long keys of jwks are used before they are fetched again.'),
    jwksCooldown: duration('30s', 'The set is fetched at most that often, whatever unknown keys tokens name.'),
    issuer: optionalText('Required iss claim.'),
    audience: optionalText('Required aud claim.'),
    userClaim: Type.String({ minLength: 1, default: 'sub', description: 'The claim that names the user.' }),
    leeway: duration('5s', 'Tolerated clock difference: a token may begin (nbf) that much in the future.'),
  }),
  oidc: section('Login with a browser at an identity provider (OpenID Connect, authorization code with PKCE).', {
    issuer: optionalText('The provider, such as https://id.example.com; null: none.'),
    name: optionalText('What people call the provider, for “Log in with …”.'),
    clientId: optionalText('The client id of this broker at the provider.'),
    clientSecret: optionalText('The client secret of this broker at the provider; null: a public client.', {
      secret: true,
    }),
    redirectUri: optionalText(
      'Address of /v1/auth/oidc/callback as browsers see it; it must be registered at the provider.',
    ),
    returnTo: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Full addresses that a login may return to; the first is the default. The web app at the host of redirectUri need not be named.',
    }),
    scopes: Type.Array(Type.String({ minLength: 1 }), { default: ['openid'], description: 'What is asked for.' }),
    userClaim: Type.String({ minLength: 1, default: 'sub', description: 'The claim that names the user.' }),
    rolesClaim: optionalText('The claim, a list, with the roles of the account; null: roles are not changed.'),
    linkExisting: flag(
      false,
      'An existing account, with or without a password, is linked to the first person whom the provider gives its name.',
    ),
  }),
  x509: section('Client certificates of an authority of listen.tls.ca, at the TLS listeners.', {
    name: Type.Enum(['off', 'cn', 'email', 'dns'], {
      default: 'off',
      description:
        'The part of a certificate that is the user: cn (common name), email or dns (alternative names); off: none.',
    }),
    role: optionalText('Role of a login by certificate, beside those of the account, such as device.'),
    required: flag(false, 'No TLS connection without a valid certificate.'),
  }),
  http: section(
    'A backend of yours that authenticates clients and narrows what they may do. No answer, or an invalid one, denies.',
    {
      login: optionalText(
        'URL that is asked about credentials this broker does not know; https, or http on this machine.',
      ),
      publish: optionalText('URL that is asked before each publish; it only narrows.'),
      subscribe: optionalText('URL that is asked before each subscription; it only narrows.'),
      secret: Type.Union([webhookSecret, Type.Null()], {
        default: null,
        secret: true,
        description:
          'The key of the signatures, as of webhooks: whsec_ and 24 to 64 bytes in base64. Null: requests are not signed.',
      }),
      timeout: duration('5s', 'Without an answer by then, access is denied.'),
      cache: duration('60s', 'How long an answer is cached; 0: not at all.'),
      maxConcurrent: count(32, 'Requests at the same time; more wait, at most for timeout.', 1, 1024),
    },
  ),
})
