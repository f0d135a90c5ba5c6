-- What was moved is a store from now on. Other arguments are fields of its description.
local prefix, moving, format = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call
local meta = prefix .. 'meta'
if call('HGET', meta, 'format') ~= moving then return redis.status_reply('OK') end
call('HDEL', meta, 'source', 'reached')
call('HSET', meta, 'format', format, unpack(ARGV, 4))
return redis.status_reply('OK')
