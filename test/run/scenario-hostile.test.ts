/**
 * Scenarios from a stranger: whatever stands where a field, a name, a number or a path belongs, the scenario is read or
 * refused with SCENARIO, and no file outside its folder is reached.
 */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { parseSize } from '../../src/core/size.ts'
import { recordScenario } from '../../src/golden/scenario-recording.ts'
import { parseScenario } from '../../src/run/scenario.ts'
import { refuseFilesOutside } from '../../src/run/scenario-files.ts'
import { readScenario } from '../../tools/drive.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { hostileNumbers, hostileTexts, isUnpolluted } from '../support/hostile.ts'

const test = suite('hostile scenarios')
const folder = temporaryFolder()
test.after(() => folder.remove())

const volume = '[[volume]]\nname = "v"\nsize = "64K"\n'
const host = (trace: string) => `${volume}[[host]]\nname = "h"\nvolume = "v"\n${trace}\n`
const scenario = (rest: string) => `name = "s"\n${rest}`

/** Reads it; undefined when it was read, or what was said. */
function refusal(toml: string): string | undefined {
  try {
    parseScenario(toml, parseSize)
    return undefined
  } catch (error) {
    assert.instance(error, BlockboxError, `${toml}: ${(error as Error).stack}`)
    assert.is((error as BlockboxError).code, 'SCENARIO', (error as Error).message)
    return (error as Error).message
  } finally {
    isUnpolluted(toml.slice(0, 200))
  }
}

test('keys of prototypes are fields like any other: refused', () => {
  for (const key of ['__proto__', 'constructor', 'prototype', 'toString', '"__proto__"', '"a\\u0000b"']) {
    for (const value of ['1', '"x"', '{ polluted = true }', '[]']) {
      assert.ok(refusal(scenario(`${key} = ${value}\n${volume}`)) !== undefined, `${key} = ${value}`)
      assert.ok(refusal(scenario(`${volume}${key} = ${value}\n`)) !== undefined, `a volume's ${key}`)
      assert.ok(refusal(scenario(host(`trace = "t"\n${key} = ${value}`))) !== undefined, `a host's ${key}`)
    }
    assert.ok(refusal(`${scenario(volume)}[${key}]\npolluted = true\n`) !== undefined, `[${key}]`)
    assert.ok(refusal(`${scenario(volume)}[[step]]\nat = "begin"\ndo = ${key}\n`) !== undefined)
    assert.ok(refusal(`${scenario(volume)}[[step]]\nat = "begin"\ndo = "${key.replaceAll('"', '')}"\n`))
  }
  assert.is(refusal(scenario(host('trace = "t"'))), undefined, 'the scenario without them is read')
})

test('texts and numbers of every kind: read or refused, nothing else', () => {
  for (const text of hostileTexts) {
    const quoted = JSON.stringify(text)
    for (const toml of [
      `name = ${quoted}\n${volume}`,
      scenario(volume.replace('"v"', quoted)),
      scenario(host(`trace = ${quoted}`)),
      scenario(host(`trace = "t"\npace = ${quoted}`)),
      scenario(`${volume}[[step]]\nat = ${quoted}\ndo = "mark"\nlabel = "x"\nvolume = "v"\n`),
    ]) {
      refusal(toml)
    }
    assert.ok(refusal(scenario(host(`trace = "t"\nscale = ${quoted}`))) !== undefined, quoted)
  }
  for (const number of hostileNumbers) {
    const isNone = !/^(?:\+1|0x10|1_000)$/.test(number)
    for (const place of [`seed = ${number}\n${volume}`, volume.replace('"64K"', number)]) {
      const said = refusal(scenario(place))
      if (isNone && number !== '-0') assert.ok(said !== undefined, `${number}: ${place}`)
    }
    if (!/^\d+$|^\+1$/.test(number)) assert.ok(refusal(scenario(volume.replace('64K', number))), number)
  }
})

const outside = ['../secret', '/etc/passwd', 'a/../../secret', './../secret', '', 'a\\u0000b']

test('files outside the folder of the scenario: refused, however they are named', () => {
  const home = folder.fresh('scenarios')
  mkdirSync(join(home, 'traces'), { recursive: true })
  writeFileSync(join(home, '..', 'secret'), 'secret')
  symlinkSync(join(home, '..', 'secret'), join(home, 'link'))
  symlinkSync('..', join(home, 'up'))
  symlinkSync('traces', join(home, 'within'))
  writeFileSync(join(home, 'traces', 'a.iolog'), 'fio version 3 iolog\n')
  const check = (toml: string) => refuseFilesOutside(parseScenario(scenario(toml), parseSize), home)
  const steps = [
    (path: string) =>
      `[[step]]\nat = "begin"\ndo = "pair.create"\nname = "p"\nsource = "v"\nclone_file = "${path}"\nextent = "16K"\n`,
    (path: string) =>
      `[[step]]\nat = "begin"\ndo = "fence.restore"\nname = "f"\nhost = "h"\nimage = "${path}"\n`,
  ]
  for (const path of [...outside, 'link', 'up/secret', 'traces/../up/secret']) {
    const words = /: the path ".*" (?:is|leads) .*in its own folder/
    assert.throws(() => check(host(`trace = "${path}"`)), words, path)
    for (const step of steps) assert.throws(() => check(host('trace = "t"') + step(path)), words, path)
  }
  for (const path of ['traces/a.iolog', './traces/a.iolog', 'within/a.iolog', 'missing', 'a..b', '..a']) {
    check(host(`trace = "${path}"`))
    for (const step of steps) check(host('trace = "t"') + step(path))
  }
})

test('both ways to run a scenario ask', async () => {
  const file = join(folder.fresh('home'), 'a.scenario.toml')
  mkdirSync(join(file, '..'))
  writeFileSync(file, scenario(host('trace = "../secret"')))
  await fails('SCENARIO', () => readScenario(file))
  await fails('SCENARIO', () => recordScenario(file))
})

test.run()
