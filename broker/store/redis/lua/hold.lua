-- A store is read as a whole: as long as this is said again no node begins. What is left of nodes that were silent for longer than their lease is removed, so
-- that one that only slept begins anew, and is refused. Empty: it is given up.
local prefix, lease, holds = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local call = redis.call
local meta = prefix .. 'meta'
if holds == '' then return call('HDEL', meta, 'held') end
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all = call('HGETALL', prefix .. 'nodes')
local there = 0
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) >= now - lease then there = there + 1 end
end
if there > 0 then return redis.error_reply('NODES ' .. there) end
for i = 1, #all, 2 do
  call('HDEL', prefix .. 'nodes', all[i])
  call('HDEL', prefix .. 'settings', all[i])
  call('HDEL', prefix .. 'facts', all[i])
  call('UNLINK', prefix .. 'answer:' .. all[i])
end
call('HSET', meta, 'held', string.format('%.0f', now))
return call('HMGET', meta, 'format', 'epoch', 'commit', 'queue', 'secret')
