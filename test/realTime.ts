/**
 * For tests that run against the clock: sound, servers that elect a leader. A busy machine may keep any of them waiting
 * past what a sound server or a cluster bears, so each is tried three times; the report tells of every retry.
 */
export const realTime = { retry: 2 }
