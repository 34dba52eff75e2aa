// An S3 server on loopback, by a hand that is not ours, with the SDK's client for it. It does not know the smallest part
// that S3 takes, so that is held here.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import S3rver from 's3rver'

const SMALLEST_PART = 5 * 1024 * 1024

export async function startS3() {
  const Bucket = 'recordings'
  const directory = mkdtempSync(join(tmpdir(), 'wavespool-s3-'))
  const rver = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: [{ name: Bucket }],
  })
  await rver.configureBuckets()
  const server = createServer(rver.callback()).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const s3 = new S3Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
  })
  /** @type {Map<number, number>} */
  const parts = new Map()
  s3.middlewareStack.add(
    (next) => async (args) => {
      const { PartNumber, Body } = /** @type {any} */ (args.input)
      if (PartNumber) parts.set(PartNumber, Body.length)
      return next(args)
    },
    { step: 'initialize' },
  )
  function stop() {
    server.close()
    server.closeAllConnections()
    s3.destroy()
    rmSync(directory, { recursive: true, force: true })
    const last = Math.max(...parts.keys())
    const small = [...parts].filter(([number, bytes]) => number !== last && bytes < SMALLEST_PART)
    if (small.length > 0) throw new Error(`parts that S3 does not take: ${small}`)
  }
  return { s3, Bucket, stop }
}
