// The microphone where there is one, else a built-in tone in real time. WAVESPOOL_SOURCE=built-in asks for the tone.
import { listDevices, portAudio } from 'wavespool'
import { tone } from 'wavespool/testing'

/** @param {import('wavespool').PcmFormat} format */
export async function pickSource(format) {
  const microphones = process.env.WAVESPOOL_SOURCE === 'built-in' ? [] : await listDevices().catch(() => [])
  console.error(`source: ${microphones.length > 0 ? 'the microphone' : 'a built-in tone, no microphone'}`)
  return microphones.length > 0 ? portAudio(format) : tone(format, { pace: 'realtime' })
}
