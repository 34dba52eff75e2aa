// A line of the cookbook as its test sees it, and how the test runs it.
import assert from 'node:assert/strict'
import { load } from './cookbook.mjs'
import { pcmOf, Recording, wavOf } from './recording.mjs'

/**
 * @typedef {'whole' | 'snapshot' | 'follow'} Moment after the recording; while it goes on, the part so far; while
 *   it goes on, to its end
 * @typedef {{ bytes: Uint8Array, name?: string | undefined, type?: string | undefined }} Arrival
 *
 * @typedef Service a replacement of the real one
 * @property {unknown} [options] the options by which the block's client reaches it
 * @property {(result: any) => Arrival[] | Promise<Arrival[]>} arrived the files that arrived, one for each attempt
 * @property {unknown} [says] the result that the block must have; a function of the seconds that arrive where it
 * depends on them
 * @property {() => unknown} close
 *
 * @typedef Line
 * @property {string} block its name in the cookbook
 * @property {[string, string][]} [replace] text of the block about the service, and its replacement
 * @property {string} [result] the variable that the block ends with (default `text`)
 * @property {'wav' | 'open wav' | 'pcm' | 'nothing else'} takes
 * @property {Moment[]} moments
 * @property {import('./recording.mjs').Fault[]} faults the faults that its judge must find
 * @property {RegExp} [refuses] how the consumer itself says that it does not take a wrong one
 * @property {boolean} [retries] a failure of the service is followed by another attempt
 * @property {(failures: number) => Promise<Service>} open
 */

export const said = 'what was said'

/**
 * Runs a line and checks the files that arrived.
 *
 * @param {Line} line
 * @param {Moment} moment
 * @param {{ fault?: import('./recording.mjs').Fault | undefined, failures?: number }} [options]
 */
export async function check(line, moment, { fault, failures = 0 } = {}) {
  const run = await load(line.block, line.replace ?? [], line.result)
  const recording = new Recording(fault)
  const { memo } = recording
  const service = await line.open(failures)
  try {
    await recording.reach(moment === 'whole' ? 'end' : 'half')
    // One hundred chunks more arrive as soon as the line has looked at the recording.
    const goneOn = moment === 'whole' ? undefined : recording.looked.then(() => recording.goOn())
    const [result] = await Promise.all([run({ memo, service: service.options }), goneOn])
    const seconds = moment === 'snapshot' ? 2 : 4
    const { says } = service
    if (says !== undefined) assert.deepEqual(result, typeof says === 'function' ? says(seconds) : says)
    if (line.takes === 'nothing else') return

    const isOpen = line.takes === 'open wav' && moment === 'follow'
    const wanted = line.takes === 'pcm' ? pcmOf(seconds) : wavOf(seconds, isOpen)
    const arrivals = await service.arrived(result)
    assert.equal(arrivals.length, failures + 1, 'attempts')
    for (const { bytes, name = 'memo.wav', type = 'audio/wav' } of arrivals) {
      assert.deepEqual(
        { name, type, length: bytes.length },
        { name: 'memo.wav', type: 'audio/wav', length: wanted.length },
      )
      const at = wanted.findIndex((byte, i) => byte !== bytes[i])
      assert.equal(at, -1, `byte ${at} is ${bytes[at]}, not ${wanted[at]}`)
    }
  } finally {
    await service.close()
    await memo.dispose()
  }
}
