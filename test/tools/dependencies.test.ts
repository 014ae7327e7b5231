/** The rules for dependencies, each with a planted offender, and the project held to them. */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { auditOf, licenceFaults, lockFaults, useFaults } from '../../tools/dependencies/rules.ts'

const test = suite('dependencies')
const none = () => undefined

test('licences', () => {
  const of = (entry: object) => ({ packages: { '': { license: 'None' }, 'node_modules/a': entry } })
  assert.equal(licenceFaults(of({ license: 'MIT' }), none), [])
  assert.equal(licenceFaults(of({ license: 'GPL-3.0', dev: true }), none), [])
  assert.match(licenceFaults(of({ license: 'GPL-3.0' }), none).join(), 'GPL-3.0 is not permitted')
  assert.match(licenceFaults(of({}), none).join(), 'the licence none is not permitted')
  assert.match(licenceFaults(of({ license: 'MIT' }), () => 'SSPL-1.0').join(), 'the package SSPL-1.0')
})

test('use', () => {
  const manifest = { dependencies: { a: '1', '@b/c': '1' }, devDependencies: { d: '1', typescript: '1' } }
  const src = { path: 'src/a.ts', text: `import { x } from 'a'\nimport {\n  y,\n} from '@b/c/part'\n` }
  const tests = { path: 'test/a.test.ts', text: `import d from 'd'\nimport fs from 'node:fs'\n` }
  assert.equal(useFaults(manifest, [src, tests]), [])
  assert.equal(useFaults(manifest, [src]), ['package.json: nobody imports d'])
  const stray = { path: 'tools/a.ts', text: `import d from 'd'\n` }
  assert.equal(useFaults(manifest, [src, tests, stray]), ['tools/a.ts: imports d, which is no dependency'])
})

test('lock file', () => {
  const of = (entry: object) => ({ packages: { '': {}, 'node_modules/a': entry } })
  assert.equal(lockFaults(of({ integrity: 'sha512-x', funding: { url: 'https://a.test/' } })), [])
  assert.match(lockFaults(of({})).join(), 'has no digest')
  assert.match(
    lockFaults(of({ integrity: 'sha512-x', resolved: 'https://a.test/a.tgz' })).join(),
    'names a host',
  )
})

test('known weaknesses: named, none, or not asked', () => {
  assert.equal(auditOf('{"vulnerabilities":{}}'), { weak: [] })
  const found = { vulnerabilities: { a: { severity: 'high' }, b: { severity: '\u001b[31m' }, c: null } }
  assert.equal(auditOf(JSON.stringify(found)), {
    weak: [
      'a: a weakness is known (high)',
      'b: a weakness is known (of no severity)',
      'c: a weakness is known (of no severity)',
    ],
  })
  assert.equal(auditOf('{"message":"405 Method Not Allowed","statusCode":405}'), {
    unasked: '405 Method Not Allowed',
  })
  for (const text of ['', 'null', '[]', '1', '{"vulnerabilities":1}', '<html>']) {
    assert.ok('unasked' in auditOf(text), text)
  }
  const own = JSON.parse('{"vulnerabilities":{"__proto__":{"severity":"low"}}}') as object
  assert.equal(auditOf(JSON.stringify(own)), { weak: ['__proto__: a weakness is known (low)'] })
})

test('the project', () => {
  const program = fileURLToPath(new URL('../../tools/dependencies.js', import.meta.url))
  const { stdout, status } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  assert.match(stdout, /packages come with an installation, 0 findings/)
  assert.is(status, 0)
})

test.run()
