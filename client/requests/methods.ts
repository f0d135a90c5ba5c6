/** What a client can ask for: one method for each command. Made by `npm run schemas` from the table of commands. */
import type { CommandParams as Params } from '../../schemas/commands.js'
import type { Call, CallOptions } from './calls.js'

export type Methods = ReturnType<typeof methods>

/** By whatever door `call` goes through. Every method rejects with a `ChatError`. */
export function methods(call: Call) {
  return {
    /** Sends a message to a room, or to a user (@user). For members who may write; sending to a public room joins it. */
    send: (params: Params<'send'>, options?: CallOptions) => call('send', params, 'POST /rooms/{room}/messages', options),
    /** A page of a room’s messages, ascending: the newest ones, those before a seq, after one, or around a message or a time; or those with given seqs. For members. */
    history: (params: Params<'history'>, options?: CallOptions) => call('history', params, 'GET /rooms/{room}/messages', options),
    /** The versions of a message, ascending: the message as it was sent, then its edits as they were sent. For members. */
    edits: (params: Params<'edits'>, options?: CallOptions) => call('edits', params, 'GET /rooms/{room}/messages/{seq}/edits', options),
    /** Who reacted to a message and with what, in a stable order of users. For members. */
    reactions: (params: Params<'reactions'>, options?: CallOptions) => call('reactions', params, 'GET /rooms/{room}/messages/{seq}/reactions', options),
    rooms: {
      /** Creates a room, with the caller as its owner. */
      create: (params: Params<'rooms.create'>, options?: CallOptions) => call('rooms.create', params, 'POST /rooms', options),
      /** Changes a room, or with user and role the role of a member. For owners and admins of the room. */
      update: (params: Params<'rooms.update'>, options?: CallOptions) => call('rooms.update', params, 'PATCH /rooms/{room}', options),
      /** Removes a room and its messages for good. For owners of the room. */
      delete: (params: Params<'rooms.delete'>, options?: CallOptions) => call('rooms.delete', params, 'DELETE /rooms/{room}', options),
      /** Joins a public room, or another one by an invitation or a link. */
      join: (params: Params<'rooms.join'>, options?: CallOptions) => call('rooms.join', params, 'POST /rooms/{room}/join', options),
      /** Leaves a room. */
      leave: (params: Params<'rooms.leave'>, options?: CallOptions) => call('rooms.leave', params, 'POST /rooms/{room}/leave', options),
      /** Invites a user to a room. For owners and admins of the room. */
      invite: (params: Params<'rooms.invite'>, options?: CallOptions) => call('rooms.invite', params, 'POST /rooms/{room}/invites', options),
      /** Removes a member, for moderators and above; or an invitation, for owners and admins of the room. */
      remove: (params: Params<'rooms.remove'>, options?: CallOptions) => call('rooms.remove', params, 'DELETE /rooms/{room}/members/{user}', options),
      /** The members of a room, by user id, and how many there are. For members. */
      members: (params: Params<'rooms.members'>, options?: CallOptions) => call('rooms.members', params, 'GET /rooms/{room}/members', options),
      /** A page of what happened in a room (rooms/{room}/events), ascending: the newest, those before a seq, or those after one. For members. */
      events: (params: Params<'rooms.events'>, options?: CallOptions) => call('rooms.events', params, 'GET /rooms/{room}/events', options),
      /** A room as the caller sees it. For everyone who is logged in; a private room for members and invited users. */
      get: (params: Params<'rooms.get'>, options?: CallOptions) => call('rooms.get', params, 'GET /rooms/{room}', options),
      /** Changes the caller’s settings for a room; answers with all of them. For members, direct conversations included. */
      settings: (params: Params<'rooms.settings'>, options?: CallOptions) => call('rooms.settings', params, 'PATCH /rooms/{room}/settings', options),
      /** The rooms of the caller, or the rooms that anyone may join or ask to join: by id, or the one with the newest message first. */
      list: (params: Params<'rooms.list'> = {}, options?: CallOptions) => call('rooms.list', params, 'GET /rooms', options),
      /** Sets the role of a member, up to the caller’s own. For owners and admins of the room. */
      setRole: (params: Params<'rooms.setRole'>, options?: CallOptions) => call('rooms.setRole', params, 'PUT /rooms/{room}/members/{user}', options),
      /** Makes a member the owner in place of the caller, who becomes an admin. For owners of the room. */
      transfer: (params: Params<'rooms.transfer'>, options?: CallOptions) => call('rooms.transfer', params, 'POST /rooms/{room}/transfer', options),
      /** Removes a user from a room and keeps them out, links and invitations included. For moderators and above. */
      ban: (params: Params<'rooms.ban'>, options?: CallOptions) => call('rooms.ban', params, 'PUT /rooms/{room}/bans/{user}', options),
      /** Ends a ban; the user may join or be invited again. For moderators of the room and above. */
      unban: (params: Params<'rooms.unban'>, options?: CallOptions) => call('rooms.unban', params, 'DELETE /rooms/{room}/bans/{user}', options),
      /** The bans of a room, by user id. For moderators of the room and above. */
      bans: (params: Params<'rooms.bans'>, options?: CallOptions) => call('rooms.bans', params, 'GET /rooms/{room}/bans', options),
      /** Mutes a member, who may read but not write: messages, changes, reactions, typing. For moderators and above. */
      mute: (params: Params<'rooms.mute'>, options?: CallOptions) => call('rooms.mute', params, 'PUT /rooms/{room}/mutes/{user}', options),
      /** Ends a mute. For moderators of the room and above. */
      unmute: (params: Params<'rooms.unmute'>, options?: CallOptions) => call('rooms.unmute', params, 'DELETE /rooms/{room}/mutes/{user}', options),
      /** The mutes of a room, by user id. For moderators of the room and above. */
      mutes: (params: Params<'rooms.mutes'>, options?: CallOptions) => call('rooms.mutes', params, 'GET /rooms/{room}/mutes', options),
      links: {
        /** Creates a link with which anyone may join the room. For owners and admins of the room. */
        create: (params: Params<'rooms.links.create'>, options?: CallOptions) => call('rooms.links.create', params, 'POST /rooms/{room}/links', options),
        /** The valid links of a room. For owners and admins of the room. */
        list: (params: Params<'rooms.links.list'>, options?: CallOptions) => call('rooms.links.list', params, 'GET /rooms/{room}/links', options),
        /** Revokes a link; users who joined with it stay. For owners and admins of the room. */
        revoke: (params: Params<'rooms.links.revoke'>, options?: CallOptions) => call('rooms.links.revoke', params, 'DELETE /rooms/{room}/links/{link}', options),
      },
      /** Asks to join a room whose access is request. For everyone who is not banned from it. */
      request: (params: Params<'rooms.request'>, options?: CallOptions) => call('rooms.request', params, 'POST /rooms/{room}/requests', options),
      /** The pending requests to join, by user id. For moderators of the room and above. */
      requests: (params: Params<'rooms.requests'>, options?: CallOptions) => call('rooms.requests', params, 'GET /rooms/{room}/requests', options),
      /** The caller’s pending invitations, by room id. rooms.join accepts one, rooms.decline declines it. */
      invited: (params: Params<'rooms.invited'> = {}, options?: CallOptions) => call('rooms.invited', params, 'GET /invitations', options),
      /** Declines an invitation; the caller may be invited again. For invited users. */
      decline: (params: Params<'rooms.decline'>, options?: CallOptions) => call('rooms.decline', params, 'DELETE /invitations/{room}', options),
      /** The caller’s pending requests to join, by room id. */
      requested: (params: Params<'rooms.requested'> = {}, options?: CallOptions) => call('rooms.requested', params, 'GET /requests', options),
      /** Takes back the caller’s request to join a room. */
      withdraw: (params: Params<'rooms.withdraw'>, options?: CallOptions) => call('rooms.withdraw', params, 'DELETE /requests/{room}', options),
      /** Accepts a request to join. For moderators of the room and above. */
      approve: (params: Params<'rooms.approve'>, options?: CallOptions) => call('rooms.approve', params, 'PUT /rooms/{room}/requests/{user}', options),
      /** Denies a request to join; the user may ask again. For moderators of the room and above. */
      deny: (params: Params<'rooms.deny'>, options?: CallOptions) => call('rooms.deny', params, 'DELETE /rooms/{room}/requests/{user}', options),
    },
    auth: {
      /** Creates an account and logs it in, as far as auth.registration allows. */
      register: (params: Params<'auth.register'>, options?: CallOptions) => call('auth.register', params, 'POST /auth/register', options),
      /** Creates an invitation to register. For admins. */
      invite: (params: Params<'auth.invite'> = {}, options?: CallOptions) => call('auth.invite', params, 'POST /auth/invites', options),
      /** Logs in with user name and password. Who has a second factor is asked for `code` once the password was right. */
      login: (params: Params<'auth.login'>, options?: CallOptions) => call('auth.login', params, 'POST /auth/login', options),
      /** Exchanges a refresh token for a new access token and a new refresh token. A used refresh token is accepted again within auth.refreshGrace, as by windows that refresh at once; an older one ends the login. */
      token: (params: Params<'auth.token'> = {}, options?: CallOptions) => call('auth.token', params, 'POST /auth/token', options),
      /** Renews the login of the calling connection, with another token of the same user. */
      refresh: (params: Params<'auth.refresh'>, options?: CallOptions) => call('auth.refresh', params, null, options),
      /** Ends the login of the caller: its tokens, the sessions that used them, and their queues. A login by password is its one session. */
      logout: (params: Params<'auth.logout'> = {}, options?: CallOptions) => call('auth.logout', params, 'POST /auth/logout', options),
      /** Voids all tokens of the caller issued so far, and ends all sessions with their queues. API keys stay. */
      logoutEverywhere: (params: Params<'auth.logoutEverywhere'> = {}, options?: CallOptions) => call('auth.logoutEverywhere', params, 'POST /auth/logout-everywhere', options),
      /** Changes the caller’s password. All other sessions and all tokens issued so far end; the result is a new login. */
      password: (params: Params<'auth.password'>, options?: CallOptions) => call('auth.password', params, 'POST /auth/password', options),
      totp: {
        /** Creates a secret for an authenticator app. It takes effect when auth.totp.confirm is called with a code of it. */
        begin: (params: Params<'auth.totp.begin'>, options?: CallOptions) => call('auth.totp.begin', params, 'POST /auth/totp', options),
        /** Turns the second factor on: a password needs a code too from now on. */
        confirm: (params: Params<'auth.totp.confirm'>, options?: CallOptions) => call('auth.totp.confirm', params, 'POST /auth/totp/confirm', options),
        /** Turns the second factor off. */
        remove: (params: Params<'auth.totp.remove'>, options?: CallOptions) => call('auth.totp.remove', params, 'POST /auth/totp/remove', options),
        /** Whether the caller has a second factor. */
        status: (params: Params<'auth.totp.status'> = {}, options?: CallOptions) => call('auth.totp.status', params, 'GET /auth/totp', options),
      },
      /** Creates a token with which a user can set a new password once. For admins, who deliver it to the user. */
      reset: (params: Params<'auth.reset'>, options?: CallOptions) => call('auth.reset', params, 'POST /auth/resets', options),
      /** Sets a new password with a token of auth.reset. All earlier tokens and sessions end; a second factor stays. */
      resetPassword: (params: Params<'auth.resetPassword'>, options?: CallOptions) => call('auth.resetPassword', params, 'POST /auth/reset-password', options),
      /** Exchanges the code of a login confirmed by an identity provider for a login here; once, within a minute. */
      oidc: (params: Params<'auth.oidc'>, options?: CallOptions) => call('auth.oidc', params, 'POST /auth/oidc', options),
    },
    account: {
      /** Creates a link to a zip file of everything the broker has about the caller. The link is valid for one download. */
      export: (params: Params<'account.export'> = {}, options?: CallOptions) => call('account.export', params, 'POST /account/export', options),
      /** Removes the caller’s account for good: logins, profile, contacts and devices at once, and everything they wrote in the background. */
      delete: (params: Params<'account.delete'>, options?: CallOptions) => call('account.delete', params, 'POST /account/delete', options),
      data: {
        /** A private value of the caller. */
        get: (params: Params<'account.data.get'>, options?: CallOptions) => call('account.data.get', params, 'GET /account/data/{name}', options),
        /** Sets a private value of the caller, and tells the caller’s devices. Only the caller can read it. */
        set: (params: Params<'account.data.set'>, options?: CallOptions) => call('account.data.set', params, 'PUT /account/data/{name}', options),
        /** Removes a private value of the caller. If there is none, nothing happens. */
        delete: (params: Params<'account.data.delete'>, options?: CallOptions) => call('account.data.delete', params, 'DELETE /account/data/{name}', options),
        /** The private values of the caller, by name. */
        list: (params: Params<'account.data.list'> = {}, options?: CallOptions) => call('account.data.list', params, 'GET /account/data', options),
      },
    },
    accounts: {
      /** Creates an account, whatever auth.registration is. For admins. */
      create: (params: Params<'accounts.create'>, options?: CallOptions) => call('accounts.create', params, 'POST /accounts', options),
      /** One account. For admins. */
      get: (params: Params<'accounts.get'>, options?: CallOptions) => call('accounts.get', params, 'GET /accounts/{user}', options),
      /** Accounts ordered by user id, case-insensitive. For admins. */
      list: (params: Params<'accounts.list'> = {}, options?: CallOptions) => call('accounts.list', params, 'GET /accounts', options),
      /** Replaces the roles of an account; live sessions and streams have the new ones at once, unless their token names roles. For admins. */
      setRoles: (params: Params<'accounts.setRoles'>, options?: CallOptions) => call('accounts.setRoles', params, 'PUT /accounts/{user}/roles', options),
      /** Prevents logins of the user and of their bots and devices until accounts.resume, and closes their connections. All data stays. For admins. */
      suspend: (params: Params<'accounts.suspend'>, options?: CallOptions) => call('accounts.suspend', params, 'PUT /accounts/{user}/suspension', options),
      /** Ends a suspension. For admins. */
      resume: (params: Params<'accounts.resume'>, options?: CallOptions) => call('accounts.resume', params, 'DELETE /accounts/{user}/suspension', options),
      /** Removes an account with everything its user wrote, as topictalk user remove does. For admins. */
      delete: (params: Params<'accounts.delete'>, options?: CallOptions) => call('accounts.delete', params, 'DELETE /accounts/{user}', options),
    },
    sessions: {
      /** The sessions of the caller by client id; for admins those of anyone. */
      list: (params: Params<'sessions.list'> = {}, options?: CallOptions) => call('sessions.list', params, 'GET /sessions', options),
      /** Ends a session with its queue, and the login behind it: the device must log in again. */
      end: (params: Params<'sessions.end'>, options?: CallOptions) => call('sessions.end', params, 'DELETE /sessions/{session}', options),
    },
    users: {
      /** The profile of a user. For everyone who is logged in. */
      get: (params: Params<'users.get'>, options?: CallOptions) => call('users.get', params, 'GET /users/{user}', options),
      /** The profiles of several users, by user id; users who do not exist are left out. For everyone who is logged in. */
      profiles: (params: Params<'users.profiles'>, options?: CallOptions) => call('users.profiles', params, 'GET /profiles', options),
      /** The presence of several users, by user id. Of those whose presence the caller may not see, and of users who do not exist, it is that of a user who was never online. */
      presence: (params: Params<'users.presence'>, options?: CallOptions) => call('users.presence', params, 'GET /presence', options),
      /** Changes the caller’s profile. What is left out stays; a field that is null is removed. */
      update: (params: Params<'users.update'> = {}, options?: CallOptions) => call('users.update', params, 'PATCH /profile', options),
      /** Users whose id begins with a text, or in whose name each word of it begins a word, by user id. Case and accents do not matter in names. For everyone who is logged in. */
      search: (params: Params<'users.search'>, options?: CallOptions) => call('users.search', params, 'GET /users', options),
      /** Sets the caller’s status, and whether the session that asks is away, over HTTP the caller’s event streams; answers with the presence as it is shown then. */
      setPresence: (params: Params<'users.setPresence'> = {}, options?: CallOptions) => call('users.setPresence', params, 'PATCH /presence', options),
    },
    blocks: {
      /** Blocks a user, who can send the caller no direct messages, signals or invitations, and does not see the caller’s presence. A repeated block changes nothing. */
      add: (params: Params<'blocks.add'>, options?: CallOptions) => call('blocks.add', params, 'PUT /blocks/{user}', options),
      /** Ends a block. */
      remove: (params: Params<'blocks.remove'>, options?: CallOptions) => call('blocks.remove', params, 'DELETE /blocks/{user}', options),
      /** The users the caller blocks, by user id. */
      list: (params: Params<'blocks.list'> = {}, options?: CallOptions) => call('blocks.list', params, 'GET /blocks', options),
    },
    /** Marks the messages of a room as read by the caller up to one; the position never decreases. For members. */
    read: (params: Params<'read'>, options?: CallOptions) => call('read', params, 'PUT /rooms/{room}/read', options),
    /** The receipts of the members of a room; or who has received and read one message. For members. */
    receipts: (params: Params<'receipts'>, options?: CallOptions) => call('receipts', params, 'GET /rooms/{room}/receipts', options),
    /** Tells a room, or the other user of a direct conversation, that the caller is typing, for 10 seconds, or no more. For members who may write. */
    typing: (params: Params<'typing'>, options?: CallOptions) => call('typing', params, 'POST /rooms/{room}/typing', options),
    /** Publishes on a plain topic or one of a device, as an MQTT client does. For whom acl.rules allow, and devices on their own topics. */
    publish: (params: Params<'publish'>, options?: CallOptions) => call('publish', params, 'POST /publish', options),
    /** Brings a client up to date: what is new about the caller, and in each of their rooms. The first call has no parameters, later ones have since: then only rooms with news are listed. */
    sync: (params: Params<'sync'> = {}, options?: CallOptions) => call('sync', params, 'POST /sync', options),
    /** Makes messages from one on count as unread for the caller, until they are read again. Receipts do not go back. For members. */
    markUnread: (params: Params<'markUnread'>, options?: CallOptions) => call('markUnread', params, 'PUT /rooms/{room}/unread', options),
    /** Counts of what the caller has not read, in one room or in all of them, by room id. */
    unread: (params: Params<'unread'> = {}, options?: CallOptions) => call('unread', params, 'GET /unread', options),
    threads: {
      /** The threads of a room that have replies, the one with the latest reply first: the messages that began them, folded. For members. */
      list: (params: Params<'threads.list'>, options?: CallOptions) => call('threads.list', params, 'GET /rooms/{room}/threads', options),
      /** The threads the caller follows, by room and then by thread, with what the caller has not read of each. Those whose first message is not kept any more are left out. */
      followed: (params: Params<'threads.followed'> = {}, options?: CallOptions) => call('threads.followed', params, 'GET /threads', options),
      /** Follows a thread; at most 200 in a room. Repeating it changes nothing. For members. */
      follow: (params: Params<'threads.follow'>, options?: CallOptions) => call('threads.follow', params, 'PUT /rooms/{room}/threads/{thread}/following', options),
      /** Follows a thread no more. For members. */
      unfollow: (params: Params<'threads.unfollow'>, options?: CallOptions) => call('threads.unfollow', params, 'DELETE /rooms/{room}/threads/{thread}/following', options),
    },
    /** Messages with certain words, in one room of the caller or in all of them, newest first. */
    search: (params: Params<'search'>, options?: CallOptions) => call('search', params, 'GET /search', options),
    contacts: {
      /** Asks a user to be a contact; a user who asked the caller before becomes one at once. Contacts see each other’s presence. */
      request: (params: Params<'contacts.request'>, options?: CallOptions) => call('contacts.request', params, 'POST /contacts', options),
      /** Accepts the request of a user to be a contact. */
      accept: (params: Params<'contacts.accept'>, options?: CallOptions) => call('contacts.accept', params, 'PUT /contacts/{user}', options),
      /** Ends a contact, withdraws a request, or declines one. */
      remove: (params: Params<'contacts.remove'>, options?: CallOptions) => call('contacts.remove', params, 'DELETE /contacts/{user}', options),
      /** The caller’s contacts, and requests in both directions, by user id. */
      list: (params: Params<'contacts.list'> = {}, options?: CallOptions) => call('contacts.list', params, 'GET /contacts', options),
    },
    webhooks: {
      /** Creates a webhook for events from now on. For admins. */
      create: (params: Params<'webhooks.create'>, options?: CallOptions) => call('webhooks.create', params, 'POST /webhooks', options),
      /** All webhooks and their state, by id. For admins. */
      list: (params: Params<'webhooks.list'> = {}, options?: CallOptions) => call('webhooks.list', params, 'GET /webhooks', options),
      /** Changes a webhook; what is left out stays. For a day events are signed with the previous secret, too. A webhook of the configuration can only be enabled and disabled. For admins. */
      update: (params: Params<'webhooks.update'>, options?: CallOptions) => call('webhooks.update', params, 'PATCH /webhooks/{webhook}', options),
      /** Removes a webhook and its undelivered events. For admins. */
      delete: (params: Params<'webhooks.delete'>, options?: CallOptions) => call('webhooks.delete', params, 'DELETE /webhooks/{webhook}', options),
      /** Events that were given up, ordered by id, and so by time. For admins. */
      deliveries: (params: Params<'webhooks.deliveries'>, options?: CallOptions) => call('webhooks.deliveries', params, 'GET /webhooks/{webhook}/deliveries', options),
      /** Repeats events that were given up, once each: one of them, or all. For admins. */
      retry: (params: Params<'webhooks.retry'>, options?: CallOptions) => call('webhooks.retry', params, 'POST /webhooks/{webhook}/retry', options),
      /** Posts an event webhook.test, once, and answers with the outcome. For admins. */
      test: (params: Params<'webhooks.test'>, options?: CallOptions) => call('webhooks.test', params, 'POST /webhooks/{webhook}/test', options),
    },
    devices: {
      /** Creates a device of the caller: a user with the role device, and its API key. */
      register: (params: Params<'devices.register'>, options?: CallOptions) => call('devices.register', params, 'POST /devices', options),
      /** The devices the caller owns, or that are shared with the caller, by user id. */
      list: (params: Params<'devices.list'> = {}, options?: CallOptions) => call('devices.list', params, 'GET /devices', options),
      /** A device and its owner; for the owner also its shares and bridges. For those who may read it. */
      get: (params: Params<'devices.get'>, options?: CallOptions) => call('devices.get', params, 'GET /devices/{device}', options),
      /** Creates a new API key for a device; its previous keys are revoked and its connections closed. For its owner. */
      key: (params: Params<'devices.key'>, options?: CallOptions) => call('devices.key', params, 'POST /devices/{device}/keys', options),
      /** Removes a device with its keys, memberships, commands and retained state. For its owner. */
      remove: (params: Params<'devices.remove'>, options?: CallOptions) => call('devices.remove', params, 'DELETE /devices/{device}', options),
      /** Offers a device to a user, who becomes its owner with devices.accept; naming oneself withdraws the offer. For its owner. A transfer by an admin needs no acceptance. */
      transfer: (params: Params<'devices.transfer'>, options?: CallOptions) => call('devices.transfer', params, 'PUT /devices/{device}/owner', options),
      /** The devices that others offer to the caller, by user id. */
      offers: (params: Params<'devices.offers'> = {}, options?: CallOptions) => call('devices.offers', params, 'GET /device-offers', options),
      /** Accepts an offered device: the caller becomes its owner, its shares end, its previous keys are void, and the result is a new key. */
      accept: (params: Params<'devices.accept'>, options?: CallOptions) => call('devices.accept', params, 'POST /device-offers/{device}', options),
      /** Declines an offered device. */
      decline: (params: Params<'devices.decline'>, options?: CallOptions) => call('devices.decline', params, 'DELETE /device-offers/{device}', options),
      /** Sets whether another user may read or control a device. For its owner. */
      share: (params: Params<'devices.share'>, options?: CallOptions) => call('devices.share', params, 'PUT /devices/{device}/shares/{user}', options),
      /** Ends a user’s access to a device, at once. For its owner, and for that user. */
      unshare: (params: Params<'devices.unshare'>, options?: CallOptions) => call('devices.unshare', params, 'DELETE /devices/{device}/shares/{user}', options),
      /** Sends a command to a device; its outcome is an event of the caller. For those who may control the device. */
      command: (params: Params<'devices.command'>, options?: CallOptions) => call('devices.command', params, 'POST /devices/{device}/commands', options),
      /** A page of the commands of a device, ascending: the newest, or those before one. For those who may read it. */
      commands: (params: Params<'devices.commands'>, options?: CallOptions) => call('devices.commands', params, 'GET /devices/{device}/commands', options),
      /** Posts what a device publishes on some topics into a room, with the device as author. For its owner, who must be allowed to invite into the room. */
      bridge: (params: Params<'devices.bridge'>, options?: CallOptions) => call('devices.bridge', params, 'POST /devices/{device}/bridges', options),
      /** Ends a bridge; the device stays a member of the room. For its owner. */
      unbridge: (params: Params<'devices.unbridge'>, options?: CallOptions) => call('devices.unbridge', params, 'DELETE /devices/{device}/bridges/{bridge}', options),
    },
    /** Sends a notification to a user, or to several. For the role notifier and admins. */
    notify: (params: Params<'notify'>, options?: CallOptions) => call('notify', params, 'POST /notifications', options),
    notifications: {
      /** A page of the caller’s notifications, ascending: the newest ones, or those before a seq. */
      list: (params: Params<'notifications.list'> = {}, options?: CallOptions) => call('notifications.list', params, 'GET /notifications', options),
      /** Acknowledges notifications, for all devices of the caller: some by id, or all up to a seq. */
      ack: (params: Params<'notifications.ack'> = {}, options?: CallOptions) => call('notifications.ack', params, 'POST /notifications/acks', options),
      /** The state of a notification. For its sender, and admins. */
      status: (params: Params<'notifications.status'>, options?: CallOptions) => call('notifications.status', params, 'GET /users/{user}/notifications/{notification}', options),
      settings: {
        /** What the caller is notified of, in all rooms. */
        get: (params: Params<'notifications.settings.get'> = {}, options?: CallOptions) => call('notifications.settings.get', params, 'GET /notifications/settings', options),
        /** Changes what the caller is notified of; answers with all of it. It holds at once, also for messages of before that are not read. */
        update: (params: Params<'notifications.settings.update'> = {}, options?: CallOptions) => call('notifications.settings.update', params, 'PATCH /notifications/settings', options),
      },
    },
    /** Sends an announcement to all users, or to those with one of some roles. For the role publisher and admins. */
    broadcast: Object.assign((params: Params<'broadcast'>, options?: CallOptions) => call('broadcast', params, 'POST /broadcast/{channel}/messages', options), {
      /** Removes the retained announcement of a channel. For the role publisher and admins. */
      clear: (params: Params<'broadcast.clear'>, options?: CallOptions) => call('broadcast.clear', params, 'DELETE /broadcast/{channel}/retained', options),
      /** A page of a channel’s announcements, ascending: the newest ones, those before a seq, or those after one. */
      history: (params: Params<'broadcast.history'>, options?: CallOptions) => call('broadcast.history', params, 'GET /broadcast/{channel}/messages', options),
      /** The channels with an announcement for the caller, by name. */
      channels: (params: Params<'broadcast.channels'> = {}, options?: CallOptions) => call('broadcast.channels', params, 'GET /broadcast', options),
    }),
    privacy: {
      /** The caller’s privacy settings. */
      get: (params: Params<'privacy.get'> = {}, options?: CallOptions) => call('privacy.get', params, 'GET /privacy', options),
      /** Changes the caller’s privacy settings, with immediate effect; answers with all of them. */
      update: (params: Params<'privacy.update'> = {}, options?: CallOptions) => call('privacy.update', params, 'PATCH /privacy', options),
    },
    keys: {
      /** Creates an API key for the caller or a bot of the caller; admins for anyone. It has the roles the caller has now, and outlives changes of the password. */
      create: (params: Params<'keys.create'>, options?: CallOptions) => call('keys.create', params, 'POST /keys', options),
      /** The API keys of the caller or of a bot of the caller, without their secrets; for admins those of anyone. */
      list: (params: Params<'keys.list'> = {}, options?: CallOptions) => call('keys.list', params, 'GET /keys', options),
      /** Revokes an API key: connections that logged in with it are closed, their sessions and queues stay. */
      revoke: (params: Params<'keys.revoke'>, options?: CallOptions) => call('keys.revoke', params, 'DELETE /keys/{keyId}', options),
    },
    bots: {
      /** Creates a bot: a user with the role bot and no password, and its first API key. */
      create: (params: Params<'bots.create'>, options?: CallOptions) => call('bots.create', params, 'POST /bots', options),
      /** The bots of the caller, by user id. */
      list: (params: Params<'bots.list'> = {}, options?: CallOptions) => call('bots.list', params, 'GET /bots', options),
      /** Removes a bot of the caller, with its keys, sessions and memberships; admins remove anyone’s. */
      delete: (params: Params<'bots.delete'>, options?: CallOptions) => call('bots.delete', params, 'DELETE /bots/{bot}', options),
    },
    slash: {
      /** Replaces the slash commands that a bot takes in rooms where they are active. For the bot and its owner. */
      set: (params: Params<'slash.set'>, options?: CallOptions) => call('slash.set', params, 'PUT /slash-commands', options),
      /** The slash commands that are active in a room for the caller, by name; of several bots with one name, the one that gets it. For members. */
      list: (params: Params<'slash.list'>, options?: CallOptions) => call('slash.list', params, 'GET /rooms/{room}/slash-commands', options),
      /** Activates the slash commands of a bot that is a member of the room, or deactivates them. For owners and admins of the room. */
      allow: (params: Params<'slash.allow'>, options?: CallOptions) => call('slash.allow', params, 'PUT /rooms/{room}/slash-commands/{bot}', options),
    },
    files: {
      /** What is known of a file. For who uploaded it, who may read a message that refers to it, and admins. */
      get: (params: Params<'files.get'>, options?: CallOptions) => call('files.get', params, 'GET /files/{file}', options),
      /** The caller’s files, in the order of their ids, unfinished uploads included; for admins those of any user. */
      list: (params: Params<'files.list'> = {}, options?: CallOptions) => call('files.list', params, 'GET /files', options),
      /** Links to files that need no login, as for the images of a page; files that the caller may not read now are left out. A link ends with the right to read the file, and with the login. */
      links: (params: Params<'files.links'>, options?: CallOptions) => call('files.links', params, 'GET /file-links', options),
      /** Deletes a file of the caller, whatever messages refer to it; also an unfinished upload. */
      delete: (params: Params<'files.delete'>, options?: CallOptions) => call('files.delete', params, 'DELETE /files/{file}', options),
      /** Blocks a file: nobody is served it, or can send it, any more, and its bytes are removed. For admins. */
      block: (params: Params<'files.block'>, options?: CallOptions) => call('files.block', params, 'POST /files/{file}/block', options),
    },
    filters: {
      /** The filters for messages. For admins. */
      list: (params: Params<'filters.list'> = {}, options?: CallOptions) => call('filters.list', params, 'GET /filters', options),
      /** Replaces the filters that are not in the configuration, for all messages from now on. For admins. */
      set: (params: Params<'filters.set'>, options?: CallOptions) => call('filters.set', params, 'PUT /filters', options),
    },
    audit: {
      /** Administrative acts, ascending: the newest ones, or those before a seq. For admins. */
      list: (params: Params<'audit.list'> = {}, options?: CallOptions) => call('audit.list', params, 'GET /audit', options),
    },
    reports: {
      /** Reports a message (room and seq) or a user, in a room or in general, to the moderators. A repeated report changes nothing. For members of the room. */
      create: (params: Params<'reports.create'>, options?: CallOptions) => call('reports.create', params, 'POST /reports', options),
      /** Reports, the oldest first: of a room, for its moderators and above; of all rooms, conversations and users, for admins. */
      list: (params: Params<'reports.list'> = {}, options?: CallOptions) => call('reports.list', params, 'GET /reports', options),
      /** Resolves a report by an action, and closes all open reports of the same message or user. For those who may see it and may do the action. */
      resolve: (params: Params<'reports.resolve'>, options?: CallOptions) => call('reports.resolve', params, 'POST /reports/{report}/resolve', options),
    },
    server: {
      /** What a client has to know of the broker, such as for a log-in page. For everyone. */
      info: (params: Params<'server.info'> = {}, options?: CallOptions) => call('server.info', params, 'GET /server', options),
    },
  }
}
