-- A node is there; those that were silent for longer than their lease are removed, if the node can tell. Returns the last commit, its position,
-- the time, the latest node that ever entered, and the nodes.
local prefix, self, lease, may_remove, facts = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local call = redis.call
local nodes = prefix .. 'nodes'
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if call('HEXISTS', nodes, self) == 0 then return redis.error_reply('FENCED this node is not known any more') end
call('HSET', nodes, self, string.format('%.0f', now))
if facts ~= '' then call('HSET', prefix .. 'facts', self, facts) end
local values = call('HMGET', prefix .. 'meta', 'commit', 'position', 'latest')
local reply = { values[1] or '0', values[2] or '0', string.format('%.0f', now), values[3] }
local all = call('HGETALL', nodes)
for i = 1, #all, 2 do
  if may_remove == '1' and tonumber(all[i + 1]) < now - lease then
    call('HDEL', nodes, all[i])
    call('HDEL', prefix .. 'settings', all[i])
    call('HDEL', prefix .. 'facts', all[i])
    call('UNLINK', prefix .. 'answer:' .. all[i])
  else
    reply[#reply + 1] = all[i]
  end
end
return reply
