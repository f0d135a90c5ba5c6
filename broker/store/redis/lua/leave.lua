-- A node ends: nobody tells it anything any more, and it commits nothing.
redis.call('HDEL', ARGV[1] .. 'nodes', ARGV[2])
redis.call('HDEL', ARGV[1] .. 'settings', ARGV[2])
redis.call('HDEL', ARGV[1] .. 'facts', ARGV[2])
return redis.call('UNLINK', ARGV[1] .. 'answer:' .. ARGV[2])
