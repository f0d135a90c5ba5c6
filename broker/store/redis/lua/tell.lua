-- Sends what a node says to all others.
local prefix, self, message, publish = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
for _, node in ipairs(redis.call('HKEYS', prefix .. 'nodes')) do
  if node ~= self then redis.call(publish, prefix .. 'mail:' .. node, message) end
end
return redis.status_reply('OK')
