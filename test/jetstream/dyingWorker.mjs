// Works on segments, and kills itself between publishing a text and acknowledging its job.
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { workSegments } from 'wavespool/jetstream'

const [url, prefix] = /** @type {[string, string]} */ (process.argv.slice(2))
const js = jetstream(await connect({ servers: url }))
const publish = js.publish.bind(js)
js.publish = async (subject, ...rest) => {
  const acknowledgement = await publish(subject, ...rest)
  if (subject.startsWith(`${prefix}.texts.`)) process.kill(process.pid, 'SIGKILL')
  return acknowledgement
}
workSegments(js, async ({ start, end }) => `${start} to ${end}`, { prefix, attempts: 100 })
