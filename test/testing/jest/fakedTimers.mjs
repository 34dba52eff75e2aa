// @ts-nocheck: run by Jest, which is not installed beside the project
import { pipeline } from 'node:stream/promises'
import { expect, jest, test } from '@jest/globals'
import { chunk, limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { ramp, script, tone } from 'wavespool/testing'

const format = pcmFormat()

test('pipelines settle under fake timers', async () => {
  jest.useFakeTimers()
  const memo = new VirtualFile()
  const windows = chunk(format, { milliseconds: 20 })
  await pipeline(ramp(format), limit(format, { seconds: 1 }), windows, wavHeader(format), memo)
  expect(memo.duration).toBe(1)
  const failing = limit(format, { seconds: 1 }, { onLimit: 'error' })
  await expect(pipeline(ramp(format), failing, new VirtualFile())).rejects.toMatchObject({
    code: 'ERR_WAVESPOOL_LIMIT',
  })
  const half = pipeline(script([Buffer.alloc(641)]), wavHeader(format), new VirtualFile())
  await expect(half).rejects.toMatchObject({ code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
})

test('fake timers move a source at real pace', async () => {
  jest.useFakeTimers()
  const source = tone(format, { pace: 'realtime' })
  let bytes = 0
  source.on('data', (chunk) => {
    bytes += chunk.length
  })
  await jest.advanceTimersByTimeAsync(100)
  expect(bytes).toBe(3200)
  source.destroy()
})
