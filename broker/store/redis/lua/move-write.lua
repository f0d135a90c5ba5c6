-- Performs commands, and notes how far the move has come with them: once, however often it is sent.
local prefix, format, from, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local call = redis.call
local meta = prefix .. 'meta'
if call('HGET', meta, 'format') ~= format then return redis.error_reply('ENDED this deployment is not moved to any more') end
local reached = call('HGET', meta, 'reached')
if reached == to then return redis.status_reply('OK') end
if reached ~= from then return redis.error_reply('REACHED it is at another place') end
local at = 5
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  call(unpack(ARGV, at + 1, last))
  at = last + 1
end
call('HSET', meta, 'reached', to)
return redis.status_reply('OK')
