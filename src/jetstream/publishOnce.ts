import type { JetStreamClient, JetStreamPublishOptions } from '@nats-io/jetstream'
import { codeOf, FULL } from './client.ts'

/** How the server words it when a subject that takes one message has one, in every version. */
const HAS_ONE = /maximum messages per subject/

/**
 * Publishes the one message that its subject takes.
 *
 * @returns whether it is new; false where the subject had one already
 */
export async function publishOnce(
  js: JetStreamClient,
  subject: string,
  bytes: Uint8Array,
  options: Partial<JetStreamPublishOptions>,
): Promise<boolean> {
  try {
    const { duplicate } = await js.publish(subject, bytes, options)
    return !duplicate
  } catch (error) {
    if (codeOf(error) === FULL && HAS_ONE.test((error as Error).message)) return false
    throw error
  }
}
