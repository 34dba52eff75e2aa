import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { pcmFormat, VirtualFile, wavHeader, wavReader } from '../../../src/index.ts'
import { pattern } from '../../format/arbitraries.ts'
import { hasTool } from '../../oracles/tools.ts'
import { storages } from '../storageContract.ts'

const format = pcmFormat({ channels: 2 })
const pcm = Buffer.from(pattern(400_000))

async function* live(): AsyncGenerator<Buffer> {
  for (let at = 0; at < pcm.length; at += 7001) {
    yield pcm.subarray(at, at + 7001)
    if (at % 3 === 0) await sleep(5)
  }
}

/** The output of a program that reads a WAV from a pipe. */
async function through(program: string, args: string[], wav: Readable): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [bytes] = await Promise.all([buffer(child.stdout), pipeline(wav, child.stdin)])
  return bytes
}

test.runIf(hasTool('sox') && hasTool('ffmpeg')).each(storages)(
  'readers of WAV at the end of followers get the whole recording: $label',
  async ({ make }) => {
    const file = new VirtualFile({ storage: make() })
    const follow = () => file.createReadStream({ follow: true })
    const ffmpeg = ['-v', 'error', '-i', 'pipe:0', '-f', 's16le', 'pipe:1']
    const sox = ['-V1', '-t', 'wav', '-', '-t', 'raw', '-']
    const readers = [
      through('ffmpeg', ffmpeg, follow()),
      through('sox', sox, follow()),
      buffer(follow().pipe(wavReader())),
    ]
    await pipeline(live(), wavHeader(format), file)
    for (const bytes of await Promise.all(readers)) expect(bytes.equals(pcm)).toBe(true)
    await file.dispose()
  },
)
