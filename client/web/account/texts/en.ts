import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  logIn: 'Log in',
  register: 'Create an account',
  user: 'User name',
  userHint: 'Letters, digits and . _ - | ~ @, without spaces.',
  password: 'Password',
  passwordHint: 'Six characters or more: best a long one that you use nowhere else.',
  missing: {
    user: 'Enter your user name.',
    password: 'Enter a password.',
    invite: 'Enter your invitation.',
    token: 'Enter the link or the code you were given.',
  },
  code: 'Code of your authenticator app',
  codeHint: 'Or one of your recovery codes.',
  invite: 'Invitation',
  inviteHint: 'New accounts need an invitation here.',
  newHere: 'New here?',
  haveAccount: 'You have an account?',
  registrationClosed: 'Accounts are made by the people who run this server.',
  notKept: 'This connection is not encrypted, so the browser will not remember your login.',
  loggedOut: {
    deleted: 'Your account is deleted.',
    expired: 'Your login has ended. Log in again to go on.',
    revoked: 'You were logged out.',
    refused: 'Log in to go on.',
    logout: 'You have logged out.',
  },
  logOut: 'Log out',
  settings: 'Settings',
  logInWith: (provider: string | null) =>
    provider === null ? 'Log in with your organisation' : `Log in with ${provider}`,
  or: 'or',
  invited: 'You were invited to this server.',
  toJoin: (room: string) => `You were given a link into the room ${room}. It leads on as soon as you are logged in.`,
  forgotten: 'Forgot your password?',
  newPassword: 'New password',
  setPassword: 'Set a new password',
  resetHint: 'No mail is sent here. Ask the people who run this server for a link: with it you set a new password.',
  resetCode: 'The link that you were given, or its code',
  wasReset: 'Your new password is set. Log in with it.',
  suspended: 'This account is suspended. Ask the people who run this server.',
  badReset: 'This link was used before, or its time is over. Ask for another one.',
  notConfirmed: 'The login was not confirmed. Begin again.',
  tooManyTries: (seconds: number) =>
    seconds > 90
      ? count(Math.ceil(seconds / 60), { other: 'Too many tries. Try again in # minutes.' })
      : count(Math.max(1, Math.ceil(seconds)), {
          one: 'Too many tries. Try again in a second.',
          other: 'Too many tries. Try again in # seconds.',
        }),
  unsentLost: (n: number) =>
    count(n, {
      one: '# message was not sent: it is lost if you log out.',
      other: '# messages were not sent: they are lost if you log out.',
    }),
  language: 'Language',
  theme: 'Appearance',
  themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
}

export type AccountTexts = CatalogueOf<typeof en>
