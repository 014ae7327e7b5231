/** NBD URIs: those that others print are understood, and what is none is refused with what to write instead. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../../src/core/errors.ts'
import { isNbdUri, parseNbdUri, withFullPaths } from '../../../src/nbd/client/uri.ts'
import { exportUri } from '../../../src/nbd/server/address.ts'

const test = suite('NBD URIs')

test('which server, and which export', () => {
  const known = [
    ['nbd://example.org/disk', { host: 'example.org', port: 10_809 }, 'disk'],
    ['nbd://127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }, ''],
    ['nbd://[::1]:9000/', { host: '::1', port: 9000 }, ''],
    ['nbd+unix:///disk?socket=/run/s', { socket: '/run/s' }, 'disk'],
    ['nbd+unix://?socket=/run/a%20b', { socket: '/run/a b' }, ''],
    ['nbd+unix:///a%2Fb%40seq:3?socket=s', { socket: 's' }, 'a/b@seq:3'],
  ] as const
  for (const [text, server, name] of known) {
    assert.ok(isNbdUri(text))
    assert.equal(parseNbdUri(text), { server, name }, text)
  }
})

test('TLS: whose certificate is expected, and where the own ones are', () => {
  const known = [
    ['nbds://example.org/disk', 'example.org', undefined],
    ['nbds://[::1]:9000/?tls-certificates=/etc/pki', '::1', '/etc/pki'],
    ['nbds+unix:///disk?socket=/run/s&tls-certificates=/a%20b', 'localhost', '/a b'],
    ['nbds+unix:///disk?socket=/run/s&tls-hostname=store', 'store', undefined],
    ['nbds://host/disk?tls-hostname=store&tls-certificates=', 'store', undefined],
  ] as const
  for (const [text, hostname, certificates] of known) {
    assert.ok(isNbdUri(text))
    assert.equal(parseNbdUri(text).tls, { hostname, certificates }, text)
  }
  assert.is(parseNbdUri('nbd://host/x?tls-certificates=/a').tls, undefined)
})

test('paths in a URI are made full, and nothing else is touched', () => {
  const full = (path: string) => `/home/${path}`
  const known = [
    ['nbd://host/a?b=c', 'nbd://host/a?b=c'],
    ['nbd+unix:///a%20b?socket=s', 'nbd+unix:///a%20b?socket=/home/s'],
    [
      'nbds+unix:///x?socket=a%20b&tls-certificates=c',
      'nbds+unix:///x?socket=/home/a%20b&tls-certificates=/home/c',
    ],
  ] as const
  for (const [text, expected] of known) assert.is(withFullPaths(text, full), expected)
})

test('what a server prints is what a client takes', () => {
  for (const name of ['vol', 'vol@mark:früher', 'a b?c#d%', '']) {
    const socket = '/tmp/a folder/vol.sock'
    assert.equal(parseNbdUri(exportUri({ socket }, name, false)), { server: { socket }, name })
    const place = { host: '::1', port: 4000 }
    assert.equal(parseNbdUri(exportUri(place, name, false)), { server: place, name })
  }
})

test('what is no NBD URI, or asks for what is not done, is refused', () => {
  for (const text of ['disk.img', './nbd', '/srv/nbd:/x', 'http://host/', 'nbd:host', '']) {
    assert.not(isNbdUri(text), text)
  }
  const wrong = [
    'nbds:///x',
    'nbds+unix:///x',
    'nbds://host/x?tls-psk-file=keys',
    'nbdx://host/x',
    'nbd+unix:///x',
    'nbd+unix:///x?socket=',
    'nbd:///x',
  ]
  for (const text of [...wrong, 'nbd://host:99999/', 'nbd://host/%ff', 'nbd+vsock://1/x']) {
    try {
      parseNbdUri(text)
      assert.unreachable(text)
    } catch (error) {
      assert.instance(error, BlockboxError)
      assert.is((error as BlockboxError).code, 'USAGE', text)
      assert.match((error as Error).message, text)
    }
  }
})

test.run()
