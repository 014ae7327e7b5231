/** An engine on a journal folder with its control API on a socket, for tests: opened, asked over HTTP, closed. */

import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlOptions, serveControl } from '../../src/control/control-server.ts'
import { openToWrite } from '../../src/engine/open-folder.ts'
import { worldAt } from '../../src/replay/at.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what was answered is what the tests look into
  readonly json: any
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes or text as they are; anything else as JSON. */
  readonly body?: unknown
  /** A port in place of the socket. */
  readonly port?: number
}

export async function controlled(options: Partial<ControlOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'blockbox-control-'))
  const folder = join(root, 'a.journal')
  const { engine, journal, payload } = await openToWrite(folder, { create: true, worldAt })
  const server = await serveControl(engine, journal, payload, { folder, ...options })
  const socketPath = join(folder, 'control.sock')
  /** Asks and resolves with the response, its body not read. */
  const open = (line: string, { headers = {}, body, port }: AskOptions = {}): Promise<IncomingMessage> => {
    const [method, path] = line.split(' ')
    const raw = body instanceof Uint8Array || typeof body === 'string'
    const bytes = body === undefined || raw ? (body as Uint8Array | undefined) : JSON.stringify(body)
    const type: Record<string, string> =
      body === undefined || raw ? {} : { 'content-type': 'application/json' }
    const place = port === undefined ? { socketPath } : { port, host: '127.0.0.1' }
    return new Promise((resolve, reject) => {
      const asking = request({ ...place, method, path, headers: { ...type, ...headers }, agent: false })
      asking.once('response', resolve)
      asking.once('error', reject)
      asking.end(bytes)
    })
  }
  /** Asks and resolves with all of the answer. */
  const ask = async (line: string, asked: AskOptions = {}): Promise<Reply> => {
    const response = await open(line, asked)
    const text = await textOf(response)
    const isJson = response.headers['content-type']?.startsWith('application/json') === true
    const { statusCode: status = 0, headers } = response
    return { status, headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  return {
    ...{ root, folder, socketPath, engine, journal, payload, server, open, ask },
    async close(): Promise<void> {
      await server.close()
      await engine.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

export type ControlledEngine = Awaited<ReturnType<typeof controlled>>

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString()
}
