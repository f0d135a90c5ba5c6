-- A node begins: it takes a number that no other ever had; then, when it listens, it enters under it, and is told of commits from there on.
-- Then it knows the others: whom it does not know it would take for gone. One that comes back after it was removed was told nothing meanwhile, and what
-- it missed may be in no journal: it has to begin anew.
local prefix, format, epoch, node, secret, held = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local comes_back = ARGV[7] == '1'
local call = redis.call
local meta = prefix .. 'meta'
call('HSETNX', meta, 'format', format)
call('HSETNX', meta, 'epoch', epoch)
local found = call('HGET', meta, 'format')
if found ~= format then return redis.error_reply('FORMAT ' .. found) end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now - tonumber(call('HGET', meta, 'held') or '0') < held then return redis.error_reply('HELD all of it is being read') end
if secret ~= '' then
  call('HSETNX', meta, 'secret', secret)
  if call('HGET', meta, 'secret') ~= secret then return redis.error_reply('SECRET another one is in use') end
end
if node == '' then return { tostring(call('HINCRBY', meta, 'nodes', 1)) } end
if comes_back and call('HEXISTS', prefix .. 'nodes', node) == 0 then
  return redis.error_reply('FENCED this node is not known any more')
end
call('HSET', prefix .. 'nodes', node, string.format('%.0f', now))
local latest = math.max(tonumber(node), tonumber(call('HGET', meta, 'latest') or '0'))
call('HSET', meta, 'latest', string.format('%.0f', latest))
local values = call('HMGET', meta, 'commit', 'position', 'epoch', 'latest')
local reply = { node, values[1] or '0', values[2] or '0', values[3], values[4] }
for _, other in ipairs(call('HKEYS', prefix .. 'nodes')) do reply[#reply + 1] = other end
return reply
