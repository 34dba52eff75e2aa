// The page in a server that is there already, here one of Hono, which is to be installed as well (npm install hono
// @hono/node-server ws). It records into the folder that is named, else into recordings; Ctrl-C ends it.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { recordingPage } from 'wavespool/serve'
import { pickSource } from './source.mjs'

const page = recordingPage(process.argv[2] ?? 'recordings', { base: '/studio/', microphone: pickSource })
const app = new Hono()
app.get('/', (context) => context.redirect('/studio/'))
app.all('/studio/*', (context) => page.fetch(context.req.raw))

const where = { hostname: '127.0.0.1', port: Number(process.env.PORT ?? 0) }
const server = serve({ fetch: app.fetch, ...where }, ({ port }) => console.log(`http://127.0.0.1:${port}/`))
server.on('upgrade', page.upgrade) // for the microphones of browsers
process.once('SIGINT', async () => {
  await page.close()
  server.close()
})
