import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** Samples that were played without a break in the clock, and the frame of the clock at which they began. */
export interface SampleRange {
  at: number
  samples: Int16Array
}

const tap = join(import.meta.dirname, 'inPage/tap.js')

/** Makes the page keep the samples that it plays and those of its microphone, with the times of its clock. */
export async function tapSound(page: Page): Promise<void> {
  await page.addInitScript({ path: tap })
}

/** The samples that were played since the last call. */
export async function heard(page: Page): Promise<SampleRange[]> {
  const { at, base64 } = await page.evaluate<{ at: number[]; base64: string }>('takeHeard()')
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))
  const all = new Int16Array(bytes.buffer)
  const ranges: SampleRange[] = []
  let start = 0
  for (let i = 1; i <= at.length; i++) {
    if (i < at.length && at[i] === at[i - 1]! + 128) continue
    ranges.push({ at: at[start]!, samples: all.slice(start * 128, i * 128) })
    start = i
  }
  return ranges
}

/** All of it in a row. */
export async function samplesHeard(page: Page): Promise<Int16Array> {
  const ranges = await heard(page)
  const all = new Int16Array(ranges.reduce((total, { samples }) => total + samples.length, 0))
  let at = 0
  for (const { samples } of ranges) {
    all.set(samples, at)
    at += samples.length
  }
  return all
}

/** The frames of the recording that the page knows. */
export function knownFrames(page: Page): Promise<number> {
  return page.evaluate<number>('known()')
}

/** Those that it knew when it was clicked last. */
export function knownAtClick(page: Page): Promise<number> {
  return page.evaluate<number>('knownAtClick()')
}

/** Puts the page into the background, as a browser with windows would, or back. */
export async function hide(page: Page, hides: boolean): Promise<void> {
  await page.evaluate(`hide(${hides})`)
}
