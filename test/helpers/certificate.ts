import { join } from 'node:path'
import type { Test } from 'tap'

/** A self-signed certificate for localhost and 127.0.0.1, valid for a hundred years; its key is public. */
export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUOZ2EVzpQWDkbxDQEiKuM9VPqyGwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAwNDc1NFoYDzIxMjYxMDI5
MDA0NzU0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASN8UF/dR955qwlYwJxMFpLfT2OIFrwyGfx+sRA7JVeKF8UpkVYnCfz
61sOnU/kZZOfpxFQ2dzUDyPPECiqX8hYo28wbTAdBgNVHQ4EFgQUZEX98Hl5ZwC/
OBJZycdaxXZdDr8wHwYDVR0jBBgwFoAUZEX98Hl5ZwC/OBJZycdaxXZdDr8wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgcv8lYkjIKU3K969oHh5PpXBmKUj6EUsiWROcePNM6RwCIGvm
j3KsSbjAeQVlZSoMhEpAwfJi6Kdc4pJ0q4xNcd+0
-----END CERTIFICATE-----
`

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgs7F6xNrPcrypXyrQ
fOWhBwwXtmzwvI0ONiNGMx66wquhRANCAASN8UF/dR955qwlYwJxMFpLfT2OIFrw
yGfx+sRA7JVeKF8UpkVYnCfz61sOnU/kZZOfpxFQ2dzUDyPPECiqX8hY
-----END PRIVATE KEY-----
`

/** Both as files, for `listen.tls`; `more`: further files. */
export function certificateFiles(t: Test, more: Record<string, string> = {}): { cert: string; key: string } {
  const folder = t.testdir({ 'cert.pem': CERTIFICATE, 'key.pem': KEY, ...more })
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
}
