/**
 * For tests that run against the clock: sound, servers that elect a leader. A busy machine may keep any of them waiting
 * for longer than a sound server or a cluster allows, so each is tried three times; the report shows every retry.
 */
export const realTime = { retry: 2 }
