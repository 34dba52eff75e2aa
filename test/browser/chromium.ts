import { type Browser, chromium } from 'playwright-core'

export interface ChromiumOptions {
  /** a WAV file that its microphone plays, once and then again from the start */
  microphone?: string
}

/** Debian's Chromium, without a window, with a microphone that is allowed and no sound card. */
export function launchChromium({ microphone }: ChromiumOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox', // which wants more rights than a container has
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      ...(microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${microphone}`]),
    ],
  })
}
