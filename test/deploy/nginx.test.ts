/** `deploy/nginx/nginx.conf`, run by the real nginx in front of real brokers. */
import t from 'tap'
import { certificateFiles } from '../helpers/certificate.js'
import { testProxy } from '../helpers/proxied-suite.js'
import { ProxyProcess } from '../helpers/proxy-process.js'

t.test('nginx', async (t) => {
  await testProxy(t, {
    start: (t, nodes) => {
      const { cert, key } = certificateFiles(t)
      return ProxyProcess.start(t, {
        file: 'deploy/nginx/nginx.conf',
        listen: /\blisten (\d+)/g,
        paths: { '/etc/nginx/certs/fullchain.pem': cert, '/etc/nginx/certs/privkey.pem': key },
        nodes,
        command: (file, directory) => {
          const alone = `daemon off; master_process off; pid ${directory}/nginx.pid; error_log stderr;`
          return ['nginx', '-e', 'stderr', '-c', file, '-g', alone]
        },
      })
    },
    // It leaves a node that refuses connections, at once.
    drain: { drain: { spread: 3600 } },
    noticed: async () => {},
  })
})
