/**
 * Asks the server: a GET, or a POST of JSON.
 *
 * @param {string} path
 * @param {object} [body]
 * @returns a promise of the answer, rejected with an error that has its words and its `status`
 */
export async function ask(path, body) {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(path, body && post)
  if (response.status === 204) return {}
  const answer = await response.json()
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status })
  return answer
}

/** @param {string} name of a recording */
export const pathOf = (name) => `recordings/${encodeURIComponent(name)}`

/** `1:02:03` @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(seconds + 1e-6)
  const minutes = String(Math.floor(whole / 60) % 60)
  const hours = Math.floor(whole / 3600)
  const rest = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${minutes.padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
