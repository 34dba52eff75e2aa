// @ts-nocheck: run as it is by every Node version
// Pipelines under the fake timers of node:test, and under a faked process.nextTick, as Jest gives it to each test file.
import assert from 'node:assert/strict'
import { pipeline } from 'node:stream/promises'
import { mock } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { chunk, limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { ramp, script, tone } from 'wavespool/testing'

const format = pcmFormat()

async function assertPipelinesSettle() {
  const partial = pipeline(script([Buffer.alloc(641)]), wavHeader(format), new VirtualFile())
  await assert.rejects(partial, { code: 'ERR_WAVESPOOL_PARTIAL_FRAME' })
  const limited = pipeline(
    ramp(format),
    limit(format, { seconds: 1 }, { onLimit: 'error' }),
    new VirtualFile(),
  )
  await assert.rejects(limited, { code: 'ERR_WAVESPOOL_LIMIT' })
  const source = tone(format)
  source.once('data', () => source.fail())
  await assert.rejects(pipeline(source, new VirtualFile()), /as it was told to/)
  const file = new VirtualFile()
  await pipeline(
    ramp(format),
    limit(format, { seconds: 1 }),
    chunk(format, { milliseconds: 20 }),
    wavHeader(format),
    file,
  )
  assert.equal(file.duration, 1)
}

mock.timers.enable()
await assertPipelinesSettle()
mock.timers.reset()

const real = globalThis.process
globalThis.process = Object.create(real, { nextTick: { value() {} } })
await assertPipelinesSettle()
globalThis.process = real

for (const apis of [
  undefined,
  ['setTimeout'],
  ['setTimeout', 'setInterval'],
  ['setTimeout', 'setInterval', 'Date'],
]) {
  mock.timers.enable(apis && { apis })
  const source = ramp(format, { pace: 'realtime' })
  let bytes = 0
  source.on('data', (piece) => {
    bytes += piece.length
  })
  for (const [ms, expected] of [
    [100, 3200],
    [20, 3840],
    [1000, 35_840],
  ]) {
    await sleep(30) // real time moves nothing
    mock.timers.tick(ms)
    await turn()
    await turn()
    assert.equal(bytes, expected, `${apis}: ${ms}`)
  }
  source.destroy()
  mock.timers.reset()
}
process.stdout.write('all settled\n')
