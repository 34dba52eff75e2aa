import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { VirtualFile } from '../../src/sinks/virtualFile.ts'
import { hasTool } from './tools.ts'

const writers = [
  ['ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'sine=r=16000:d=1.5', '-f', 'wav', '-']],
  ['sox', ['-n', '-r', '16000', '-b', '16', '-t', 'wav', '-', 'synth', '1.5', 'sine', '440']],
] as const

describe.each(writers)('%s into a pipe', (tool, args) => {
  test.skipIf(!hasTool(tool))('becomes a file whose header is exact', async () => {
    const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const file = new VirtualFile()
    await pipeline(child.stdout, file)
    expect(file).toMatchObject({ format: pcmFormat(), duration: 1.5 })
    const bytes = await file.toBuffer()
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8)
    expect(bytes.readUInt32LE(bytes.length - 48_000 - 4)).toBe(48_000)
    await file.dispose()
  })
})
