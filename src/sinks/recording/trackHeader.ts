import type { Content } from '../../neighbours.ts'
import { EncodedTracker } from './encodedTracker.ts'
import type { DeclaredSizes, HeaderTracker } from './headerTracker.ts'
import { WavTracker } from './wavTracker.ts'

/**
 * A tracker for a file that begins now: for a compressed one where its encoder says what belongs at its start, else for
 * one that is a WAV file, or none, as its bytes will tell.
 */
export function trackHeader(content?: Content): HeaderTracker {
  if (content?.kind !== 'file') return new WavTracker()
  return content.head ? new EncodedTracker(content.head) : new WavTracker(content.isMade)
}

/** A tracker that knows what another one does, from a header whose sizes may have been put right meanwhile. */
export function restoreTracker(
  header: Uint8Array,
  declared: DeclaredSizes,
  isSealed: boolean,
): HeaderTracker {
  return WavTracker.restore(header, declared, isSealed)
}
