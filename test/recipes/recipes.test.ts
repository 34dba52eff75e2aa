import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { whyNotInstalled } from '../packages.ts'

const why =
  (await whyNotInstalled(import.meta.dirname, 'the packages of the recipes (50 MB)')) ??
  (spawnSync('redis-server', ['--version']).error && !process.env.CI
    ? 'redis-server is not installed'
    : undefined)
if (why) console.warn(why)

const document = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'recipes.md'), 'utf8')
const blocks = new Map(
  [...document.matchAll(/^```ts ((?:bullmq-|s3-|reconnect)\S*)\n(.*?)^```$/gms)].map(
    ([, name, code]) => [name!, code!] as const,
  ),
)
const folder = join(import.meta.dirname, '.cache')

const imports = `
import { pipeline } from 'node:stream/promises'
import { pcmFormat, segment, VirtualFile, wavHeader } from 'wavespool'
import { assertRamp, ramp, speech } from 'wavespool/testing'
`
const redis = `${imports}
import { Queue, Worker } from 'bullmq'
import { startRedis } from '../redis.mjs'
const format = pcmFormat()
`
/** A worker that died is noticed after a second or two. */
const soon = (code: string) =>
  code.replace('lockDuration: 30_000, stalledInterval: 30_000', 'lockDuration: 1000, stalledInterval: 500')
/** Twice the same call: each sentence is queued twice, and is one job; the server is killed, and a worker in the middle of a job. */
const bullmq = `${redis}
const server = await startRedis()
const { connection } = server
try {
  for (let i = 0; i < 2; i++) {
    const call = speech(format, { pause: { seconds: 1 }, duration: { seconds: 14 }, pace: 'fast' })
${blocks.get('bullmq-queue')}
    await queue.close()
  }
  await server.restart()
  const died = await server.runUntilKilled(process.argv[2]!)
  const transcribe = async (file: File) => [file.name.replace(/-.*/, ''), file.size > 44].join(' ')
${soon(blocks.get('bullmq-work')!)}
  const waiting = new Queue('segments', { connection })
  while ((await waiting.getJobCountByTypes('waiting', 'active', 'delayed')) > 0) await new Promise((r) => setTimeout(r, 100))
  const jobs = await waiting.getCompleted()
  const texts = new Set(jobs.map(({ returnvalue }) => returnvalue))
  console.log(died, jobs.length, [...texts], await waiting.getFailedCount())
  await worker.close()
  await waiting.close()
} finally {
  await server.stop()
}
`
const s3 = `${imports}
import { CompleteMultipartUploadCommand, CreateMultipartUploadCommand, GetObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { startS3 } from '../s3.mjs'
const format = pcmFormat({ sampleRate: 48000, channels: 2 })
const { s3, Bucket, stop } = await startS3()
const memo = new VirtualFile()
const seconds = Number(process.argv[2])
const recording = pipeline(ramp(format, { duration: { seconds }, pace: 'fast', chunk: { seconds: 0.5 } }), wavHeader(format), memo)
try {
`
const s3End = (key: string) => `
  await recording
  const found = await s3.send(new GetObjectCommand({ Bucket, Key: '${key}' }))
  const stored = await found.Body!.transformToByteArray()
  assertRamp(stored, format, { duration: { seconds } })
  const whole = await memo.toBuffer()
  console.log(stored.length === memo.size, Buffer.compare(stored.subarray(44), whole.subarray(44)),
    Buffer.from(stored.buffer, stored.byteOffset).readUInt32LE(40) === memo.size - 44, found.ContentType)
} finally {
  stop()
}
`

/** The recording goes on while the service hangs up; each word names the audio that was heard, and its time. */
const reconnect = `${imports}
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { startListening } from '../listener.mjs'
const format = pcmFormat()
const memo = new VirtualFile()
const { url, stop, breaks } = await startListening()
const recording = pipeline(ramp(format, { duration: { seconds: 2 } }), wavHeader(format), memo)
${blocks.get('reconnect')}
await recording
stop()
const bytes = await memo.toBuffer()
const sample = (frame: number) => bytes.readInt16LE(44 + 2 * frame)
let at = 0
for (const { start, end, text } of words) {
  const [first, last] = [Math.round(start * format.sampleRate), Math.round(end * format.sampleRate) - 1]
  if (first !== at || text !== [sample(first), sample(last), last - first + 1].join(' ')) console.log('wrong at', at, start, end, text)
  at = last + 1
}
console.log(at, breaks())
`

interface Setting {
  module: string
  runs: { args: string[]; prints: string }[]
}

const dyingWorker = `${redis}
const connection = { host: '127.0.0.1', port: Number(process.argv[2]) }
const transcribe = async (_: File): Promise<string> => { process.kill(process.pid, 'SIGKILL'); return '' }
${soon(blocks.get('bullmq-work')!)}
export { worker }
`

const settings: Record<string, Setting> = {
  reconnect: { module: reconnect, runs: [{ args: ['once'], prints: '32000 10' }] },
  bullmq: {
    module: bullmq,
    runs: [{ args: [join(folder, 'dyingWorker.mjs')], prints: "SIGKILL 5 [ 'call true' ] 0" }],
  },
  's3-open': {
    module: `${s3}${blocks.get('s3-open')}${s3End('call-1-open.wav')}`,
    runs: [{ args: ['40'], prints: 'true 0 false audio/wav' }],
  },
  's3-exact': {
    module: `${s3}${blocks.get('s3-exact')}${s3End('call-1.wav')}`,
    // shorter than a part, a part and a bit, several parts
    runs: ['1', '28', '60'].map((seconds) => ({ args: [seconds], prints: 'true 0 true audio/wav' })),
  },
}

describe.skipIf(why)('the recipes', () => {
  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const { transform } = await import('esbuild')
    const modules = [
      ...Object.entries(settings).map(([name, { module }]) => [name, module] as const),
      ['dyingWorker', dyingWorker] as const,
    ]
    for (const [name, code] of modules) {
      writeFileSync(join(folder, `${name}.ts`), code)
      writeFileSync(join(folder, `${name}.mjs`), (await transform(code, { loader: 'ts' })).code)
    }
  })

  test('are right for the compiler as they stand', () => {
    expect([...blocks.keys()]).toEqual(['bullmq-queue', 'bullmq-work', 's3-open', 's3-exact', 'reconnect'])
    const compilerOptions = { noUnusedLocals: false, noImplicitAny: false, exactOptionalPropertyTypes: false }
    const config = {
      extends: '../../../tsconfig.json',
      compilerOptions,
      include: ['*.ts', '../*.ts', '../*.mjs'],
      exclude: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
    const tsc = join(dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc)
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  test.concurrent.each(Object.keys(settings))('%s', { timeout: 120_000 }, async (name) => {
    for (const { args, prints } of settings[name]!.runs) {
      const child = spawn(process.execPath, [join(folder, `${name}.mjs`), ...args], {
        env: { ...process.env, NODE_NO_WARNINGS: '1' }, // which Node the SDK will want one day
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
      expect(stderr, args[0]!).toBe('')
      expect(stdout.trim(), args[0]!).toBe(prints)
    }
  })
})
