-- A move to an empty deployment begins, or one of the same source goes on: returns how far it has come. Other arguments are keys of which any store has one.
local prefix, format, source = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call
local meta = prefix .. 'meta'
local found = call('HGET', meta, 'format')
if found == format then
  if call('HGET', meta, 'source') ~= source then return redis.error_reply('SOURCE it is another one') end
  return call('HGET', meta, 'reached')
end
for i = 4, #ARGV do
  if call('EXISTS', ARGV[i]) == 1 then return redis.error_reply('TAKEN ' .. ARGV[i]) end
end
call('HSET', meta, 'format', format, 'source', source, 'reached', '')
return ''
