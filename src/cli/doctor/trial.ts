import { LevelMeter } from '../../dsp/levels.ts'
import type { PcmFormat } from '../../format/pcmFormat.ts'
import { type PortAudioSource, portAudio } from '../../sources/portAudio.ts'
import type { PortAudioOptions } from '../../sources/portAudioOptions.ts'
import { sentenceOf } from '../errorReporter.ts'
import { decibels } from '../terminal/units.ts'
import { bad, type Finding, good } from './finding.ts'

const SECONDS = 2
/**
 * How far the device's clock may be from this machine's. Over one second the arrivals tell it within some 10 ms, so
 * that only a device which runs at another rate than it says is found.
 */
const MOST_DRIFT = 0.03

/** Records for two seconds and judges the audio. */
export async function trialFindings(format: PcmFormat, options: PortAudioOptions): Promise<Finding[]> {
  let source: PortAudioSource
  const meter = new LevelMeter(format)
  const clock = new ArrivalClock(format.sampleRate)
  try {
    source = portAudio(format, options)
    for await (const bytes of source as AsyncIterable<Buffer>) {
      meter.add(bytes)
      clock.note(source.frames)
      if (source.frames >= SECONDS * format.sampleRate) source.stop()
    }
  } catch (error) {
    return [bad('recording', sentenceOf(error))]
  }
  const { device, backend } = await source.ready
  const recorded = `${(source.frames / format.sampleRate).toFixed(1)} s from ${device.name} through ${backend}`
  return [good('recording', recorded), levelFinding(meter), gapFinding(source), clock.finding()]
}

function levelFinding(meter: LevelMeter): Finding {
  const { peak, rms, clipped } = meter.take()
  if (peak === Number.NEGATIVE_INFINITY) {
    const places: Partial<Record<NodeJS.Platform, string>> = {
      linux: 'unmute it (pavucontrol, or alsamixer and F4)',
      darwin: 'allow this terminal the microphone in System Settings, Privacy & Security',
      win32: 'allow desktop apps the microphone in Settings, Privacy',
    }
    const remedy = places[process.platform] ?? 'unmute it'
    return bad('level', `nothing but digital silence: ${remedy}, or choose another one by --device`)
  }
  if (clipped > 0) return bad('level', `${clipped} samples are clipped: turn the input gain down`)
  const advice = peak < -40 ? ': quiet; if you spoke, turn the input gain up' : ''
  return good('level', `peak ${decibels(peak)}, RMS ${decibels(rms)}${advice}`)
}

function gapFinding({ gaps }: PortAudioSource): Finding {
  if (gaps.length === 0) return good('gaps', 'none')
  const causes = gaps
    .map(({ at, frames, cause }) => `${frames || 'some'} frames at ${at} (${cause})`)
    .join(', ')
  return bad(
    'gaps',
    `audio is missing: ${causes}; close programs that keep the processor busy, or try another USB port`,
  )
}

/**
 * Compares how many frames came with the time that passed. Frames come late, never early: the least delay in the
 * first and in the last second is the same, unless the clocks differ.
 */
class ArrivalClock {
  readonly #sampleRate: number
  readonly #arrivals: { seconds: number; delay: number }[] = []

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate
  }

  note(frames: number): void {
    const seconds = frames / this.#sampleRate
    this.#arrivals.push({ seconds, delay: performance.now() / 1000 - seconds })
  }

  finding(): Finding {
    const least = (from: number, to: number) =>
      Math.min(
        ...this.#arrivals.filter(({ seconds }) => seconds > from && seconds <= to).map(({ delay }) => delay),
      )
    const half = SECONDS / 2
    const drift = (least(half, SECONDS) - least(0, half)) / half
    const detail = `${(drift * 100).toFixed(1)} % off this machine's`
    if (Math.abs(drift) <= MOST_DRIFT) return good('clock', detail)
    return bad(
      'clock',
      `${detail}: the device runs at another rate than it says; record at the rate that wavespool devices shows, and convert`,
    )
  }
}
