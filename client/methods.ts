/** What a client can ask for: one method for each command. Made by `npm run schemas` from the table of commands. */
import type { CommandParams as Params } from '../schemas/commands.js'
import type { Call } from './calls.js'

export type Methods = ReturnType<typeof methods>

/** By whatever door `call` goes through: `mqttCalls`, or `httpCalls`. Every method rejects with a `CallError`. */
export function methods(call: Call) {
  return {
    /** Sends a message to a room, or to a user (@user). For members who may write; a public room is joined by it. */
    send: (params: Params<'send'>) => call('send', params, 'POST /rooms/{room}/messages'),
    /** A page of a room’s messages, ascending: the newest ones, those before a seq, or those after one. For members. */
    history: (params: Params<'history'>) => call('history', params, 'GET /rooms/{room}/messages'),
    rooms: {
      /** Makes a room, with the asker as its owner. */
      create: (params: Params<'rooms.create'>) => call('rooms.create', params, 'POST /rooms'),
      /** Changes a room, or with user and role a member’s role. For owners and admins of the room. */
      update: (params: Params<'rooms.update'>) => call('rooms.update', params, 'PATCH /rooms/{room}'),
      /** Removes a room and its messages for good. For owners of the room. */
      delete: (params: Params<'rooms.delete'>) => call('rooms.delete', params, 'DELETE /rooms/{room}'),
      /** Joins a public room, or any other by an invitation or a link. */
      join: (params: Params<'rooms.join'>) => call('rooms.join', params, 'POST /rooms/{room}/join'),
      /** Leaves a room. */
      leave: (params: Params<'rooms.leave'>) => call('rooms.leave', params, 'POST /rooms/{room}/leave'),
      /** Invites a user to a room. For owners and admins of the room. */
      invite: (params: Params<'rooms.invite'>) => call('rooms.invite', params, 'POST /rooms/{room}/invites'),
      /** Removes a member, for moderators and above; or an invitation, for owners and admins of the room. */
      remove: (params: Params<'rooms.remove'>) => call('rooms.remove', params, 'DELETE /rooms/{room}/members/{user}'),
      /** The members of a room, by user id, and how many there are. For members. */
      members: (params: Params<'rooms.members'>) => call('rooms.members', params, 'GET /rooms/{room}/members'),
      /** A room as the asker sees it. For everyone who is logged in, a private one for members and whom they invite. */
      get: (params: Params<'rooms.get'>) => call('rooms.get', params, 'GET /rooms/{room}'),
      /** Changes how the asker sees a room; answers with all of it. For members, direct conversations included. */
      settings: (params: Params<'rooms.settings'>) => call('rooms.settings', params, 'PATCH /rooms/{room}/settings'),
      /** The rooms the asker is in, or those anyone may join or ask to, by id. */
      list: (params: Params<'rooms.list'> = {}) => call('rooms.list', params, 'GET /rooms'),
      /** Gives a member a role, up to the asker’s own. For owners and admins of the room. */
      setRole: (params: Params<'rooms.setRole'>) => call('rooms.setRole', params, 'PUT /rooms/{room}/members/{user}'),
      /** Makes a member the owner in place of the asker, who becomes an admin. For owners of the room. */
      transfer: (params: Params<'rooms.transfer'>) => call('rooms.transfer', params, 'POST /rooms/{room}/transfer'),
      /** Removes a user from a room and keeps them out, links and invitations included. For moderators and above. */
      ban: (params: Params<'rooms.ban'>) => call('rooms.ban', params, 'PUT /rooms/{room}/bans/{user}'),
      /** Ends a ban; the user may join or be invited again. For moderators of the room and above. */
      unban: (params: Params<'rooms.unban'>) => call('rooms.unban', params, 'DELETE /rooms/{room}/bans/{user}'),
      /** Who is banned from a room, by user id. For moderators of the room and above. */
      bans: (params: Params<'rooms.bans'>) => call('rooms.bans', params, 'GET /rooms/{room}/bans'),
      /** Lets a member read and not write: messages, changes, reactions, typing. For moderators and above. */
      mute: (params: Params<'rooms.mute'>) => call('rooms.mute', params, 'PUT /rooms/{room}/mutes/{user}'),
      /** Lets a member write again. For moderators of the room and above. */
      unmute: (params: Params<'rooms.unmute'>) => call('rooms.unmute', params, 'DELETE /rooms/{room}/mutes/{user}'),
      /** Who is muted in a room, by user id. For moderators of the room and above. */
      mutes: (params: Params<'rooms.mutes'>) => call('rooms.mutes', params, 'GET /rooms/{room}/mutes'),
      links: {
        /** Makes a link with which anyone may join the room. For owners and admins of the room. */
        create: (params: Params<'rooms.links.create'>) => call('rooms.links.create', params, 'POST /rooms/{room}/links'),
        /** The links of a room that are valid. For owners and admins of the room. */
        list: (params: Params<'rooms.links.list'>) => call('rooms.links.list', params, 'GET /rooms/{room}/links'),
        /** Makes a link invalid; who came by it stays. For owners and admins of the room. */
        revoke: (params: Params<'rooms.links.revoke'>) => call('rooms.links.revoke', params, 'DELETE /rooms/{room}/links/{link}'),
      },
      /** Asks to be let into a room of access request. For everyone who is not banned from it. */
      request: (params: Params<'rooms.request'>) => call('rooms.request', params, 'POST /rooms/{room}/requests'),
      /** Who asks to be let in, by user id. For moderators of the room and above. */
      requests: (params: Params<'rooms.requests'>) => call('rooms.requests', params, 'GET /rooms/{room}/requests'),
      /** Lets in someone who asked. For moderators of the room and above. */
      approve: (params: Params<'rooms.approve'>) => call('rooms.approve', params, 'PUT /rooms/{room}/requests/{user}'),
      /** Says no to someone who asked; they may ask again. For moderators of the room and above. */
      deny: (params: Params<'rooms.deny'>) => call('rooms.deny', params, 'DELETE /rooms/{room}/requests/{user}'),
    },
    auth: {
      /** Makes an account and logs it in, as far as auth.registration lets anyone. */
      register: (params: Params<'auth.register'>) => call('auth.register', params, 'POST /auth/register'),
      /** Makes an invitation to register with. For admins. */
      invite: (params: Params<'auth.invite'> = {}) => call('auth.invite', params, 'POST /auth/invites'),
      /** Logs in with user name and password. Who has a second factor is asked for `code` once the password was right. */
      login: (params: Params<'auth.login'>) => call('auth.login', params, 'POST /auth/login'),
      /** A new access token and a new refresh token for a refresh token. Shown again, as by two windows at once, that is good for the moment of auth.refreshGrace; an older one ends the login. */
      token: (params: Params<'auth.token'>) => call('auth.token', params, 'POST /auth/token'),
      /** Renews the login of the connection that asks, with another token of the same user. */
      refresh: (params: Params<'auth.refresh'>) => call('auth.refresh', params, null),
      /** Ends the login that asks: its tokens, and the sessions that used them with all they hold. A login by password is its one session. */
      logout: (params: Params<'auth.logout'> = {}) => call('auth.logout', params, 'POST /auth/logout'),
      /** Voids every token the asker was given so far, and ends all sessions with all they hold. API keys stay. */
      logoutEverywhere: (params: Params<'auth.logoutEverywhere'> = {}) => call('auth.logoutEverywhere', params, 'POST /auth/logout-everywhere'),
      /** Changes the asker’s password. Every other session and all tokens so far end; the result is a new login. */
      password: (params: Params<'auth.password'>) => call('auth.password', params, 'POST /auth/password'),
      totp: {
        /** Makes a secret for an authenticator app. It counts once auth.totp.confirm has shown a code of it. */
        begin: (params: Params<'auth.totp.begin'>) => call('auth.totp.begin', params, 'POST /auth/totp'),
        /** Turns the second factor on: from now on a password needs a code too. */
        confirm: (params: Params<'auth.totp.confirm'>) => call('auth.totp.confirm', params, 'POST /auth/totp/confirm'),
        /** Turns the second factor off. */
        remove: (params: Params<'auth.totp.remove'>) => call('auth.totp.remove', params, 'POST /auth/totp/remove'),
        /** Whether the asker has a second factor. */
        status: (params: Params<'auth.totp.status'> = {}) => call('auth.totp.status', params, 'GET /auth/totp'),
      },
      /** Makes a token with which a user can set a new password once. For admins, who see that it reaches the user. */
      reset: (params: Params<'auth.reset'>) => call('auth.reset', params, 'POST /auth/resets'),
      /** Sets a new password with a token of auth.reset. All tokens and sessions of before end; a second factor stays. */
      resetPassword: (params: Params<'auth.resetPassword'>) => call('auth.resetPassword', params, 'POST /auth/reset-password'),
      /** Takes the login that an identity provider confirmed: the code of the address it led back to, once, within a minute. */
      oidc: (params: Params<'auth.oidc'>) => call('auth.oidc', params, 'POST /auth/oidc'),
    },
    account: {
      /** Makes a link to a zip file of all that the broker has of the asker. It is good for one download. */
      export: (params: Params<'account.export'> = {}) => call('account.export', params, 'POST /account/export'),
      /** Removes the asker’s account for good: logins, profile, people and devices at once, and in the background all they wrote, wherever it is. */
      delete: (params: Params<'account.delete'>) => call('account.delete', params, 'POST /account/delete'),
    },
    accounts: {
      /** Makes an account, whatever auth.registration says. For admins. */
      create: (params: Params<'accounts.create'>) => call('accounts.create', params, 'POST /accounts'),
      /** One account. For admins. */
      get: (params: Params<'accounts.get'>) => call('accounts.get', params, 'GET /accounts/{user}'),
      /** Accounts by user id, whatever its case. For admins. */
      list: (params: Params<'accounts.list'> = {}) => call('accounts.list', params, 'GET /accounts'),
      /** Gives an account these roles in place of those it had; live sessions and streams have them at once, unless a token of theirs says otherwise. For admins. */
      setRoles: (params: Params<'accounts.setRoles'>) => call('accounts.setRoles', params, 'PUT /accounts/{user}/roles'),
      /** Nobody logs in as the user, or as their bots and devices, until accounts.resume; who is logged in is cut off. What they have stays. For admins. */
      suspend: (params: Params<'accounts.suspend'>) => call('accounts.suspend', params, 'PUT /accounts/{user}/suspension'),
      /** Takes a suspension back. For admins. */
      resume: (params: Params<'accounts.resume'>) => call('accounts.resume', params, 'DELETE /accounts/{user}/suspension'),
      /** Removes an account with all its user left, as topictalk user remove does. For admins. */
      delete: (params: Params<'accounts.delete'>) => call('accounts.delete', params, 'DELETE /accounts/{user}'),
    },
    sessions: {
      /** The sessions of the asker by client id, or for admins those of anyone. */
      list: (params: Params<'sessions.list'> = {}) => call('sessions.list', params, 'GET /sessions'),
      /** Ends a session with all it holds, and the login behind it: its device has to log in anew. */
      end: (params: Params<'sessions.end'>) => call('sessions.end', params, 'DELETE /sessions/{session}'),
    },
    users: {
      /** The profile of a user. For everyone who is logged in. */
      get: (params: Params<'users.get'>) => call('users.get', params, 'GET /users/{user}'),
      /** Changes the asker’s own profile. What is left out stays; a field of null is removed. */
      update: (params: Params<'users.update'> = {}) => call('users.update', params, 'PATCH /profile'),
      /** Users whose id begins with a text, whatever its case. For everyone who is logged in. */
      search: (params: Params<'users.search'>) => call('users.search', params, 'GET /users'),
    },
    blocks: {
      /** Blocks a user: no direct messages, signals or invitations from there, and no presence to there. Blocking twice is blocking once. */
      add: (params: Params<'blocks.add'>) => call('blocks.add', params, 'PUT /blocks/{user}'),
      /** Takes a block back. */
      remove: (params: Params<'blocks.remove'>) => call('blocks.remove', params, 'DELETE /blocks/{user}'),
      /** Whom the asker blocks, by user id. */
      list: (params: Params<'blocks.list'> = {}) => call('blocks.list', params, 'GET /blocks'),
    },
    /** Says that the asker has read a room’s messages up to one; it never goes back. For members. */
    read: (params: Params<'read'>) => call('read', params, 'PUT /rooms/{room}/read'),
    /** How far the members of a room have come; or who has got and read one message. For members. */
    receipts: (params: Params<'receipts'>) => call('receipts', params, 'GET /rooms/{room}/receipts'),
    /** Brings a client up to date: for each room of the asker, by room id, what is new since where the client is. For first use it says nothing. */
    sync: (params: Params<'sync'> = {}) => call('sync', params, 'POST /sync'),
    /** Lets messages from one on count as unread for the asker, until they are read again. Receipts do not go back by it. For members. */
    markUnread: (params: Params<'markUnread'>) => call('markUnread', params, 'PUT /rooms/{room}/unread'),
    /** What the asker has not read, in one room or in all of them, by room id. */
    unread: (params: Params<'unread'> = {}) => call('unread', params, 'GET /unread'),
    /** Messages with certain words, in one room of the asker or in all of them, newest first. */
    search: (params: Params<'search'>) => call('search', params, 'GET /search'),
    contacts: {
      /** Asks a user to be a contact; whoever asked the asker before is one at once. Contacts see each other’s presence. */
      request: (params: Params<'contacts.request'>) => call('contacts.request', params, 'POST /contacts'),
      /** Takes a user who asked as a contact. */
      accept: (params: Params<'contacts.accept'>) => call('contacts.accept', params, 'PUT /contacts/{user}'),
      /** Ends a contact, takes back a request, or declines one. */
      remove: (params: Params<'contacts.remove'>) => call('contacts.remove', params, 'DELETE /contacts/{user}'),
      /** The asker’s contacts, and requests both ways, by user id. */
      list: (params: Params<'contacts.list'> = {}) => call('contacts.list', params, 'GET /contacts'),
    },
    webhooks: {
      /** Makes a webhook, told of what happens from now on. For admins. */
      create: (params: Params<'webhooks.create'>) => call('webhooks.create', params, 'POST /webhooks'),
      /** All webhooks and how they do, by id. For admins. */
      list: (params: Params<'webhooks.list'> = {}) => call('webhooks.list', params, 'GET /webhooks'),
      /** Changes a webhook; what is left out stays. The secret before signs beside a new one for a day. One of the configuration can only be switched on and off. For admins. */
      update: (params: Params<'webhooks.update'>) => call('webhooks.update', params, 'PATCH /webhooks/{webhook}'),
      /** Removes a webhook with all it has not been told. For admins. */
      delete: (params: Params<'webhooks.delete'>) => call('webhooks.delete', params, 'DELETE /webhooks/{webhook}'),
      /** Events that were given up, by id, which is by time. For admins. */
      deliveries: (params: Params<'webhooks.deliveries'>) => call('webhooks.deliveries', params, 'GET /webhooks/{webhook}/deliveries'),
      /** Tries events that were given up again, once each: one of them, or all. For admins. */
      retry: (params: Params<'webhooks.retry'>) => call('webhooks.retry', params, 'POST /webhooks/{webhook}/retry'),
      /** Posts an event webhook.test, once, and says what came of it. For admins. */
      test: (params: Params<'webhooks.test'>) => call('webhooks.test', params, 'POST /webhooks/{webhook}/test'),
    },
    devices: {
      /** Makes a device of the asker’s own: a user with the role device, and its API key. */
      register: (params: Params<'devices.register'>) => call('devices.register', params, 'POST /devices'),
      /** The devices that are the asker’s, or shared with the asker, by user id. */
      list: (params: Params<'devices.list'> = {}) => call('devices.list', params, 'GET /devices'),
      /** A device: whose it is, and for its owner with whom it is shared and where it reports to. For those who may read it. */
      get: (params: Params<'devices.get'>) => call('devices.get', params, 'GET /devices/{device}'),
      /** Another API key for a device; those it had so far end, with its connections. For its owner. */
      key: (params: Params<'devices.key'>) => call('devices.key', params, 'POST /devices/{device}/keys'),
      /** Removes a device with all it has: keys, memberships, commands, retained state. For its owner. */
      remove: (params: Params<'devices.remove'>) => call('devices.remove', params, 'DELETE /devices/{device}'),
      /** Offers a device to someone, who becomes its owner with devices.accept; to name oneself takes it back. For its owner. Of admins it needs no acceptance. */
      transfer: (params: Params<'devices.transfer'>) => call('devices.transfer', params, 'PUT /devices/{device}/owner'),
      /** The devices that others offer the asker, by user id. */
      offers: (params: Params<'devices.offers'> = {}) => call('devices.offers', params, 'GET /device-offers'),
      /** Takes a device that is offered: it is the asker’s, nobody shares it, its keys of before are void, and the answer is a new one. */
      accept: (params: Params<'devices.accept'>) => call('devices.accept', params, 'POST /device-offers/{device}'),
      /** Takes no device that is offered. */
      decline: (params: Params<'devices.decline'>) => call('devices.decline', params, 'DELETE /device-offers/{device}'),
      /** Lets another user read or control a device, in place of what they might before. For its owner. */
      share: (params: Params<'devices.share'>) => call('devices.share', params, 'PUT /devices/{device}/shares/{user}'),
      /** Takes back what a user might with a device, at once. For its owner, and for that user. */
      unshare: (params: Params<'devices.unshare'>) => call('devices.unshare', params, 'DELETE /devices/{device}/shares/{user}'),
      /** Asks a device to do something; what becomes of it is an event of the asker. For those who may control it. */
      command: (params: Params<'devices.command'>) => call('devices.command', params, 'POST /devices/{device}/commands'),
      /** A page of what was asked of a device, ascending: the newest, or those before one. For those who may read it. */
      commands: (params: Params<'devices.commands'>) => call('devices.commands', params, 'GET /devices/{device}/commands'),
      /** Posts what a device publishes on some topics into a room, in its name. For its owner, who may invite into the room. */
      bridge: (params: Params<'devices.bridge'>) => call('devices.bridge', params, 'POST /devices/{device}/bridges'),
      /** Ends a bridge; the device stays a member of the room. For its owner. */
      unbridge: (params: Params<'devices.unbridge'>) => call('devices.unbridge', params, 'DELETE /devices/{device}/bridges/{bridge}'),
    },
    /** Sends a notification to a user, or to several. For the role notifier and admins. */
    notify: (params: Params<'notify'>) => call('notify', params, 'POST /notifications'),
    notifications: {
      /** A page of the asker’s own notifications, ascending: the newest ones, or those before a seq. */
      list: (params: Params<'notifications.list'> = {}) => call('notifications.list', params, 'GET /notifications'),
      /** Acknowledges notifications, for all devices of the asker: some by id, or all up to a seq. */
      ack: (params: Params<'notifications.ack'> = {}) => call('notifications.ack', params, 'POST /notifications/acks'),
      /** What became of a notification. For whoever sent it, and admins. */
      status: (params: Params<'notifications.status'>) => call('notifications.status', params, 'GET /users/{user}/notifications/{notification}'),
    },
    /** Announces something to every user, or to those with one of some roles. For the role publisher and admins. */
    broadcast: Object.assign((params: Params<'broadcast'>) => call('broadcast', params, 'POST /broadcast/{channel}/messages'), {
      /** Forgets the retained announcement of a channel. For the role publisher and admins. */
      clear: (params: Params<'broadcast.clear'>) => call('broadcast.clear', params, 'DELETE /broadcast/{channel}/retained'),
      /** A page of a channel’s announcements, ascending: the newest ones, those before a seq, or those after one. */
      history: (params: Params<'broadcast.history'>) => call('broadcast.history', params, 'GET /broadcast/{channel}/messages'),
      /** The channels in which there is an announcement for the asker, by name. */
      channels: (params: Params<'broadcast.channels'> = {}) => call('broadcast.channels', params, 'GET /broadcast'),
    }),
    privacy: {
      /** The asker’s privacy settings. */
      get: (params: Params<'privacy.get'> = {}) => call('privacy.get', params, 'GET /privacy'),
      /** Changes the asker’s privacy settings, for everyone at once; answers with all of them. */
      update: (params: Params<'privacy.update'> = {}) => call('privacy.update', params, 'PATCH /privacy'),
    },
    keys: {
      /** Makes an API key for oneself, or for a bot of one’s own; admins for anyone. It is good for what the asker may now, whatever the password becomes. */
      create: (params: Params<'keys.create'>) => call('keys.create', params, 'POST /keys'),
      /** The API keys of oneself, or of a bot of one’s own, without their secrets; for admins those of anyone. */
      list: (params: Params<'keys.list'> = {}) => call('keys.list', params, 'GET /keys'),
      /** Ends an API key: connections that logged in with it are cut, what their sessions hold stays. */
      revoke: (params: Params<'keys.revoke'>) => call('keys.revoke', params, 'DELETE /keys/{keyId}'),
    },
    bots: {
      /** Makes a bot: a user with the role bot and no password, and its first API key. */
      create: (params: Params<'bots.create'>) => call('bots.create', params, 'POST /bots'),
      /** The bots of the asker, by user id. */
      list: (params: Params<'bots.list'> = {}) => call('bots.list', params, 'GET /bots'),
      /** Removes a bot of one’s own, with its keys, its sessions and its memberships; admins remove anyone’s. */
      delete: (params: Params<'bots.delete'>) => call('bots.delete', params, 'DELETE /bots/{bot}'),
    },
    slash: {
      /** Says which commands a bot takes in rooms where they count, in place of those it took before. For the bot and its owner. */
      set: (params: Params<'slash.set'>) => call('slash.set', params, 'PUT /slash-commands'),
      /** The commands that count in a room for the asker, by name; of one name the bot that gets it first. For members. */
      list: (params: Params<'slash.list'>) => call('slash.list', params, 'GET /rooms/{room}/slash-commands'),
      /** Lets the commands of a bot that is a member count in a room, or not any more. For owners and admins of the room. */
      allow: (params: Params<'slash.allow'>) => call('slash.allow', params, 'PUT /rooms/{room}/slash-commands/{bot}'),
    },
    filters: {
      /** The filters that messages are held against. For admins. */
      list: (params: Params<'filters.list'> = {}) => call('filters.list', params, 'GET /filters'),
      /** Replaces the filters that are not of the configuration, at once and for all messages to come. For admins. */
      set: (params: Params<'filters.set'>) => call('filters.set', params, 'PUT /filters'),
    },
    audit: {
      /** Administrative acts, ascending: the newest ones, or those before a seq. For admins. */
      list: (params: Params<'audit.list'> = {}) => call('audit.list', params, 'GET /audit'),
    },
    reports: {
      /** Reports a message (room and seq) or a user, in a room or at large, to those who moderate. Twice is once. For members of the room. */
      create: (params: Params<'reports.create'>) => call('reports.create', params, 'POST /reports'),
      /** Reports, the oldest first: of a room, for its moderators and above; of all rooms, conversations and users, for admins. */
      list: (params: Params<'reports.list'> = {}) => call('reports.list', params, 'GET /reports'),
      /** Does what a report asks for, and closes all open reports of the same. For who may see it, as far as they may do that. */
      resolve: (params: Params<'reports.resolve'>) => call('reports.resolve', params, 'POST /reports/{report}/resolve'),
    },
  }
}
