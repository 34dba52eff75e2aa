import { whyNotInstalled } from '../packages.ts'

/** @returns why the clients are not there; undefined where they are */
export const whyNoConsumers = () =>
  whyNotInstalled(import.meta.dirname, 'the speech-to-text clients (800 MB)')
