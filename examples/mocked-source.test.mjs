// A test of your own recorder, without a microphone and without waiting: node --test examples/mocked-source.test.mjs
import assert from 'node:assert/strict'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { assertRamp, manualClock, ramp } from 'wavespool/testing'

const format = pcmFormat()

/** The function under test. Yours would get portAudio(format) in production. */
async function record(/** @type {import('node:stream').Readable} */ microphone) {
  const memo = new VirtualFile({ name: 'memo.wav' })
  const done = pipeline(microphone, limit(format, { seconds: 5 }), wavHeader(format), memo)
  return { memo, done }
}

test('stops at five seconds, with not one sample lost', async () => {
  const { memo, done } = await record(ramp(format))
  await done
  await assertRamp(memo, format, { duration: { seconds: 5 } })
})

test('can be listened to while it records', async () => {
  const clock = manualClock()
  const microphone = ramp(format, { pace: clock })
  const { memo, done } = await record(microphone)
  await new Promise(setImmediate)
  clock.advance(1500)
  await new Promise(setImmediate)
  assert.equal(memo.duration, 1.5)
  microphone.stop()
  await done
})

test('keeps what it has when the microphone is unplugged', async () => {
  const { memo, done } = await record(
    ramp(format, { errorAfter: { seconds: 2 }, error: new Error('unplugged') }),
  )
  await assert.rejects(done, /unplugged/)
  await assertRamp(memo, format, { duration: { seconds: 2 } })
})
