// How long audio takes from the phone to a reader on another machine, through ingest and servers.
import { followRecording } from 'wavespool/jetstream'
import { callFormat } from './twilio.mjs'

/**
 * Follows calls to their end, and tells how old each sample was when its message came.
 *
 * @param {import('@nats-io/jetstream').JetStreamClient} js @param {import('./callers.mjs').Call[]} calls
 */
export async function lagOf(js, calls) {
  /** @type {number[]} */
  const lags = []
  await Promise.all(
    calls.map(async ({ id, beganAt }) => {
      const audio = followRecording(js, id, { idleSeconds: 60 })
      audio.on('data', () => {
        // its last sample was sent 20 ms after it began
        lags.push(Date.now() - beganAt - (1000 * audio.position) / callFormat.bytesPerSecond)
      })
      await new Promise((resolve) => audio.once('close', resolve))
    }),
  )
  lags.sort((a, b) => a - b)
  const quantile = (/** @type {number} */ q) =>
    Math.round(lags[Math.floor(q * (lags.length - 1))] ?? Number.NaN)
  return { median: quantile(0.5), p99: quantile(0.99), messages: lags.length }
}
