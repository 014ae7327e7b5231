/**
 * abstract-level's own suite, which ships with it, as tests of uvu: its `test` and `t` are those of tape, of which it uses
 * few words.
 */

import { createRequire } from 'node:module'
import { isDeepStrictEqual } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

type Body = (t: Told) => unknown

/** What the suite is told about the store under test. */
export type LevelFactory = (options?: object) => unknown

/** Tests of `factory`, which makes an empty store each time; run them with `run`. */
export function levelSuite(name: string, factory: LevelFactory) {
  const tests = suite(name)
  const seen = new Map<string, number>()
  const test = (title: string, ...rest: unknown[]) => {
    const body = rest.at(-1) as Body
    const times = (seen.get(title) ?? 0) + 1
    seen.set(title, times)
    tests(times === 1 ? title : `${title} (${times})`, () => told(body))
  }
  const none = () => undefined
  createRequire(import.meta.url)('abstract-level/test/index.js')({
    test: Object.assign(test, { skip: none, only: test }),
    factory,
  })
  return { run: () => tests.run(), count: () => [...seen.values()].reduce((sum, times) => sum + times, 0) }
}

/** Runs a test until its body is done and what it planned, or `end`, came; what failed is thrown. */
async function told(body: Body): Promise<void> {
  const t = new Told()
  const done = body(t)
  if (done instanceof Promise) await done
  await t.over(done instanceof Promise)
}

/** The `t` of a test. */
class Told {
  #planned: number | undefined
  #asserted = 0
  #ended = false
  #failure: Error | undefined
  readonly #inner: Promise<void>[] = []
  #wake: () => void = () => undefined

  plan(count: number): void {
    this.#planned = count
  }

  end(error?: unknown): void {
    if (error !== undefined && error !== null) this.fail(String(error))
    this.#ended = true
    this.#wake()
  }

  pass(): void {
    this.#assert(true, '')
  }

  fail(message: unknown): void {
    this.#assert(false, String(message))
  }

  ok(value: unknown, message = 'is truthy'): void {
    this.#assert(Boolean(value), message)
  }

  is(actual: unknown, expected: unknown, message = ''): void {
    this.#assert(Object.is(actual, expected), `${message}: ${String(actual)} is not ${String(expected)}`)
  }

  isNot(actual: unknown, expected: unknown, message = ''): void {
    this.#assert(!Object.is(actual, expected), `${message}: is ${String(actual)}`)
  }

  same(actual: unknown, expected: unknown, message = ''): void {
    const texts = [actual, expected].map((value) => JSON.stringify(value))
    this.#assert(isDeepStrictEqual(actual, expected), `${message}: ${texts.join(' is not ')}`)
  }

  throws(call: () => unknown, expected?: RegExp | ((error: Error) => boolean), message = 'throws'): void {
    try {
      call()
    } catch (error) {
      const fits =
        expected instanceof RegExp ? expected.test(String(error)) : expected?.(error as Error) !== false
      this.#assert(fits, `${message}: ${String(error)}`)
      return
    }
    this.#assert(false, `${message}: nothing was thrown`)
  }

  doesNotThrow(call: () => unknown): void {
    call()
    this.pass()
  }

  test(_: string, ...rest: unknown[]): void {
    this.#inner.push(told(rest.at(-1) as Body))
  }

  /** Waits for what was announced. A body that is a promise needs no `end`. */
  async over(isPromise: boolean): Promise<void> {
    await Promise.all(this.#inner)
    const isOver = () => {
      if (this.#failure !== undefined || this.#ended || this.#inner.length > 0) return true
      return this.#planned === undefined ? isPromise : this.#asserted >= this.#planned
    }
    while (!isOver()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#failure !== undefined) throw this.#failure
    if (this.#planned !== undefined) assert.is(this.#asserted, this.#planned, 'as many assertions as planned')
  }

  #assert(holds: boolean, message: string): void {
    this.#asserted++
    if (!holds) this.#failure ??= new Error(message)
    this.#wake()
  }
}
