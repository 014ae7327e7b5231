/** Every route of the table: what it does, what it refuses, and input that it must not take. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { commandAnswer, problemAnswer } from '../../src/control/contents-schema.ts'
import { hasJsonBody } from '../../src/control/openapi.ts'
import { pathParameters, type Route, routeFaults } from '../../src/control/route.ts'
import { routes } from '../../src/control/routes.ts'
import { type ControlledEngine, controlled } from '../support/controlled.ts'

const test = suite('control routes')

let api: ControlledEngine
test.before(async () => {
  api = await controlled()
})
test.after(() => api.close())

/** A block of metadata and one of data behind the fence. */
const blocks = new Uint8Array(8192).fill(3)
const taken = new Set<string>()

/** What is asked, in order: the line, the body, the status, and the code of a problem. */
type Asking = readonly [line: string, body: unknown, status: number, code?: string]

/** One history that takes every route with success, and commands with a refusal. */
const story: readonly Asking[] = [
  ['POST /volumes', { name: 'disk', size: 65_536 }, 200],
  ['POST /volumes', { name: 'disk', size: 65_536 }, 409, 'E_ALREADY'],
  ['POST /volumes', { name: 'odd', size: 1 }, 422, 'E_SIZE'],
  ['POST /volumes', { name: 'wide', size: 65_536, devices: ['none'] }, 400, 'USAGE'],
  ['POST /devices', { name: 'd1' }, 200],
  ['POST /devices', { name: 'd1' }, 409, 'E_ALREADY'],
  ['POST /devices', { name: 'no name' }, 400, 'USAGE'],
  ['GET /devices', undefined, 200],
  ['POST /volumes', { name: 'twin', size: 65_536, block: 4096, devices: ['d1'] }, 200],
  ['POST /volumes', { name: 'gone', size: 8192 }, 200],
  ['POST /volumes/gone/resize', { size: 4096 }, 200],
  ['POST /volumes/gone/resize', { size: 1 }, 422, 'E_SIZE'],
  ['POST /volumes/none/resize', { size: 4096 }, 404, 'NO_SUCH_VOLUME'],
  ['DELETE /volumes/gone', undefined, 200],
  ['DELETE /volumes/none', undefined, 404, 'NO_SUCH_VOLUME'],
  ['GET /volumes', undefined, 200],
  ['POST /sessions', { name: 'host' }, 200],
  ['POST /sessions', { name: 'a host' }, 422, 'E_NAME'],
  ['GET /sessions', undefined, 200],
  ['POST /marks', { volume: 'disk', label: 'here' }, 200],
  ['POST /marks', { volume: 'none', label: 'here' }, 404, 'NO_SUCH_VOLUME'],
  ['GET /marks', undefined, 200],
  ['POST /branches', { address: 'disk@mark:here', name: 'then' }, 200],
  ['POST /branches', { address: 'disk@mark:here', name: 'then' }, 409, 'E_ALREADY'],
  ['POST /branches', { address: 'none', name: 'never' }, 404, 'NO_SUCH_VOLUME'],
  ['DELETE /volumes/then', undefined, 200],
  ['POST /views', { base: 'disk', name: 'view', max_bytes: 8192 }, 200],
  ['POST /views', { base: 'view', name: 'other' }, 409, 'E_CHAIN'],
  ['GET /views', undefined, 200],
  ['POST /sessions/1/rebind', { from: 'disk', to: 'view' }, 200],
  ['POST /sessions/9/rebind', { from: 'disk', to: 'view' }, 404, 'E_NO_SESSION'],
  ['DELETE /sessions/1?orderly=true', undefined, 200],
  ['DELETE /sessions/1', undefined, 404, 'E_NO_SESSION'],
  ['POST /views/view/merge', {}, 200],
  ['POST /views/view/merge', {}, 404, 'E_NO_VOLUME'],
  ['POST /views', { base: 'disk', name: 'brief' }, 200],
  ['DELETE /views/brief', undefined, 200],
  ['DELETE /views/none', undefined, 404, 'NO_SUCH_VOLUME'],
  ['POST /backups', { name: 'night', volumes: ['disk'], deadline_ms: 60_000 }, 200],
  ['POST /backups', { name: 'night', volumes: ['disk'] }, 409, 'E_ALREADY'],
  ['GET /backups', undefined, 200],
  ['POST /backups/night/stop', {}, 200],
  ['POST /backups/night/stop', {}, 404, 'E_NOT_ACTIVE'],
  ['POST /clones', { name: 'mirror', source: 'disk', clone: 'twin', extent: 4096 }, 200],
  ['POST /clones', { name: 'third', source: 'disk', clone: 'twin', extent: 3 }, 422, 'E_SIZE'],
  ['POST /clones', { name: 'x', source: 'disk' }, 400, 'USAGE'],
  ['POST /clones', { name: 'x', source: 'disk', clone_file: { path: 'here' } }, 400, 'USAGE'],
  ['POST /clones', { name: 'x', source: 'disk', clone_file: { path: '/none/image' } }, 422, 'ENOENT'],
  ['GET /clones', undefined, 200],
  ['POST /clones/mirror/sync', { wait: true }, 200],
  ['POST /clones/none/sync', {}, 404, 'E_NO_PAIR'],
  ['POST /clones/mirror/fracture', {}, 200],
  ['POST /clones/mirror/fracture', {}, 409, 'E_STATE'],
  ['POST /restores', { pair: 'mirror', wait: true }, 200],
  ['POST /restores', { pair: 'none' }, 404, 'E_NO_PAIR'],
  ['GET /restores', undefined, 200],
  ['POST /restores/none/pause', {}, 404, 'E_NO_PAIR'],
  ['POST /restores/none/resume', {}, 404, 'E_NO_PAIR'],
  ['POST /restores/none/cancel', {}, 404, 'E_NO_PAIR'],
  ['DELETE /clones/mirror', undefined, 200],
  ['DELETE /clones/mirror', undefined, 404, 'E_NO_PAIR'],
  ['POST /clones', { name: 'slow', source: 'disk', clone_file: { path: '@image' }, extent: 4096 }, 200],
  ['POST /restores', { pair: 'slow', rate: 1 }, 200],
  ['POST /restores/slow/pause', { wait: true }, 200],
  ['POST /restores/slow/resume', {}, 200],
  ['POST /restores/slow/resume', {}, 200],
  ['POST /restores/slow/cancel', { force: true, wait: true }, 200],
  ['POST /restores', { pair: 'slow', clone_file: 'here' }, 400, 'USAGE'],
  ['POST /restores', { pair: 'slow', clone_file: '@image' }, 400, 'USAGE'],
  ['GET /clones/slow/verify', undefined, 200],
  ['GET /clones/none/verify', undefined, 400, 'USAGE'],
  ['DELETE /clones/slow', undefined, 200],
  ['POST /volumes/from', { name: 'brought', from: '@image', copy: true, wait: true }, 200],
  ['POST /volumes/from', { name: 'brought', from: '@image' }, 409, 'E_ALREADY'],
  ['POST /volumes/from', { name: 'odd', from: '@image', block: 3 }, 400, 'USAGE'],
  ['POST /volumes/from', { name: 'none', from: 'here' }, 400, 'USAGE'],
  ['POST /copies', { volume: 'brought', target: '@image.copy', verify: true, wait: true }, 200],
  ['POST /copies', { volume: 'brought', target: '@image.copy' }, 400, 'USAGE'],
  ['POST /copies', { volume: 'brought', target: '@image.copy', resume: true }, 400, 'USAGE'],
  ['POST /copies', { volume: 'brought', target: 'here' }, 400, 'USAGE'],
  ['POST /copies', { volume: 'none', target: '@image.other' }, 404, 'NO_SUCH_VOLUME'],
  ['GET /copies', undefined, 200],
  ['GET /copies/1', undefined, 200],
  ['GET /copies/9', undefined, 404, 'NO_SUCH_COPY'],
  ['GET /copies/1/progress', undefined, 200],
  ['DELETE /copies/1', undefined, 200],
  ['DELETE /copies/9', undefined, 404, 'NO_SUCH_COPY'],
  ['POST /fences', { name: 'guard', volume: 'disk', ranges: '0+4096' }, 200],
  ['POST /fences', { name: 'guard', volume: 'disk', ranges: '0+4096' }, 409, 'E_ALREADY'],
  ['POST /fences', { name: 'ext', volume: 'disk', layout: 'ext4' }, 422, 'LAYOUT'],
  ['GET /fences', undefined, 200],
  ['POST /fences/guard/operate', { owner: 'other' }, 403, 'E_NOT_OWNER'],
  ['POST /fences/guard/takeover', { owner: 'other' }, 200],
  ['POST /fences/guard/operate', { owner: 'other' }, 200],
  ['PUT /fences/guard/content?offset=0&owner=other', blocks, 200],
  ['PUT /fences/guard/content?offset=1&owner=other', blocks, 400, 'USAGE'],
  ['PUT /fences/none/content?offset=0', blocks, 404, 'E_NOT_ACTIVE'],
  ['POST /fences/guard/fail', { owner: 'other' }, 200],
  ['POST /fences/guard/force', { owner: 'other' }, 200],
  ['POST /fences', { name: 'again', volume: 'disk', ranges: '0+4096' }, 200],
  ['POST /fences/again/abort', {}, 200],
  ['POST /fences/again/abort', {}, 404, 'E_NOT_ACTIVE'],
  ['POST /fences', { name: 'third', volume: 'disk', ranges: '0+4096' }, 200],
  ['POST /fences/third/restore', { image: '@image' }, 200],
  ['POST /fences/third/restore', { image: 'here' }, 400, 'USAGE'],
  ['POST /fences/third/lower', {}, 200],
  ['POST /fences/third/finish', {}, 404, 'E_NOT_ACTIVE'],
  ['POST /fences', { name: 'fourth', volume: 'disk', ranges: '0+4096' }, 200],
  ['POST /fences/fourth/operate', {}, 200],
  ['POST /fences/fourth/finish', {}, 200],
  ['POST /fences/fourth/lower', {}, 200],
  ['GET /info', undefined, 200],
  ['GET /state', undefined, 200],
  ['POST /reopen', {}, 200],
  ['GET /queues', undefined, 200],
  ['GET /log?from=3&to=4', undefined, 200],
  ['GET /log?from=mark:none', undefined, 404, 'NO_SUCH_POINT'],
  ['GET /log?kind=nothing', undefined, 400, 'USAGE'],
  ['GET /image?address=disk@mark:here', undefined, 200],
  ['GET /image?address=disk@seq:1', undefined, 404, 'NO_SUCH_POINT'],
  ['GET /metrics', undefined, 200],
  ['GET /openapi.json', undefined, 200],
]

test('every route does what it says, and refuses with a problem that says why', async () => {
  const image = join(api.root, 'image.raw')
  writeFileSync(image, new Uint8Array(65_536).fill(7))
  for (const [line, body, status, code] of story) {
    const told = body instanceof Uint8Array ? body : withImage(body, image)
    const reply = await api.ask(line, told === undefined ? {} : { body: told })
    const said = `${line} ${JSON.stringify(body)}: ${reply.text.slice(0, 300)}`
    assert.is(reply.status, status, said)
    if (code === undefined) {
      const route = routeOf(line)
      taken.add(`${route.method} ${route.path}`)
      if (route.gives === 'command') v.parse(commandAnswer, reply.json)
      if (route.gives === 'json') v.parse(route.output, reply.json)
    } else {
      const { error } = v.parse(problemAnswer, reply.json)
      assert.is(error.code, code, said)
      assert.ok(error.message.length > 0 && error.advice.length > 0, said)
      if (code.startsWith('E_')) assert.ok(error.seq! > 0, said)
    }
  }
  const missed = routes
    .map(({ method, path }) => `${method} ${path}`)
    .filter((row) => !taken.has(row) && row !== 'GET /events')
  assert.equal(missed, [], 'every route is taken with success')
})

test('a command with a key is done once', async () => {
  const headers = { 'idempotency-key': 'once' }
  const body = { name: 'keyed', size: 4096 }
  const first = await api.ask('POST /volumes', { body, headers })
  const again = await api.ask('POST /volumes', { body, headers })
  assert.is(again.json.repeats, first.json.seq)
  assert.is(again.json.made, first.json.made)
  const other = await api.ask('POST /volumes', { body: { ...body, size: 8192 }, headers })
  assert.is(other.json.error.code, 'E_KEY_USED')
  const bad = await api.ask('POST /volumes', { body, headers: { 'idempotency-key': 'a b' } })
  assert.is(bad.status, 400)
  assert.is((await api.ask('GET /info', { headers })).status, 400)
})

test('no route takes input that is not in its schema', async () => {
  const before = api.journal.bounds().last
  for (const route of routes) {
    for (const [what, line, body] of badInputs(route)) {
      const reply = await api.ask(line, body === undefined ? {} : { body, headers: json })
      assert.is(reply.status, 400, `${route.method} ${route.path} with ${what}: ${reply.text.slice(0, 200)}`)
      assert.is(v.parse(problemAnswer, reply.json).error.code, 'BAD_REQUEST')
    }
  }
  assert.is(api.journal.bounds().last, before, 'nothing of it went on record')
})

test('a body that is no JSON object, or nested too deep, is refused', async () => {
  const deep = `{"name":${'['.repeat(400_000)}${']'.repeat(400_000)}}`
  for (const body of ['', '[]', 'null', '1', '{', '{"a":1}x', '\xff', deep]) {
    assert.is((await api.ask('POST /volumes', { body, headers: json })).status, 400, body.slice(0, 20))
  }
  const latin = new Uint8Array([123, 34, 255, 34, 58, 49, 125])
  assert.is((await api.ask('POST /volumes', { body: latin, headers: json })).status, 400)
  const text = { 'content-type': 'text/plain' }
  assert.is((await api.ask('POST /volumes', { body: '{}', headers: text })).status, 415)
})

test('what is not there is told apart: path and method', async () => {
  assert.is((await api.ask('GET /nothing')).json.error.code, 'NO_SUCH_ROUTE')
  const reply = await api.ask('PATCH /volumes')
  assert.equal([reply.status, reply.headers.allow], [405, 'GET, POST'])
})

test('canary: a route without a schema is a fault of the table', () => {
  assert.equal(routeFaults(routes), [])
  const [first] = routes as readonly [Route]
  const { input: _, ...naked } = first
  assert.match(routeFaults([naked as Route]).join(), /GET \/info has no strict schema/)
  const loose = { ...first, input: v.looseObject({}) } as unknown as Route
  assert.match(routeFaults([loose]).join(), /no strict schema/)
  assert.match(routeFaults([{ ...first, path: '/info/{name}' }]).join(), /no schema of \{name\}/)
  assert.match(routeFaults([first, first]).join(), /there twice/)
})

const json = { 'content-type': 'application/json' }

/** The paths of files in the story, which only a run knows. */
function withImage(body: unknown, image: string): unknown {
  return body === undefined ? undefined : JSON.parse(JSON.stringify(body).replaceAll('@image', image))
}

function routeOf(line: string): Route {
  const [method, url] = line.split(' ')
  const found = routes.filter((route) => {
    const form = new RegExp(`^${route.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    return route.method === method && form.test(url!.split('?')[0]!)
  })
  assert.is(found.length, 1, line)
  return found[0]!
}

/** Requests that miss what is needed, or have what is not: text, line, body. */
function badInputs(route: Route): (readonly [string, string, unknown?])[] {
  const params = pathParameters(route.path)
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name) => (name === 'session' ? '1' : 'thing'))
  const line = `${route.method} ${path}`
  const entries = Object.entries(route.input.entries) as [string, { readonly type: string }][]
  const needed = entries.filter(([name, { type }]) => type !== 'optional' && !params.includes(name))
  const inherited = ['__proto__', 'constructor', 'toString']
  const own = params.slice(0, 1)
  if (!hasJsonBody(route)) {
    const query = (name: string) => `${line}?${name}=x`
    return [
      ['an unknown key', query('surplus')],
      ...inherited.map((name) => [`the key ${name}`, query(name)] as const),
      ...own.map((name) => ['a parameter twice', query(name)] as const),
      ...needed.slice(0, 1).map(([name]) => [`no ${name}`, line] as const),
    ]
  }
  return [
    ['an unknown key', line, { surplus: 1 }],
    ...inherited.map((name) => [`the key ${name}`, line, `{"${name}":{"a":1}}`] as const),
    ...own.map((name) => ['a parameter twice', line, { [name]: 'x' }] as const),
    ...needed.map(([name]) => [`no ${name}`, line, {}] as const),
    ...entries
      .filter(([name]) => !params.includes(name))
      .map(([name]) => [`${name} of a wrong type`, line, { [name]: { a: 1 } }] as const),
    ['a query', `${line}?surplus=1`, {}],
  ]
}

test.run()
