/**
 * The control network over TCP: one line a message, answered in order. A peer that sends a line too long is cut off.
 */

import { connect, createServer, type Server, type Socket } from 'node:net'
import { BlockboxError } from '../core/errors.ts'
import { maxMessageBytes } from './message.ts'
import type { ControlChannel } from './storage-client.ts'
import type { StorageServer } from './storage-server.ts'

const newline = 10

/** Calls back with each line that comes in, newline included. */
function onLines(socket: Socket, line: (bytes: Uint8Array) => void): void {
  let waiting = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    for (let end = waiting.indexOf(newline); end >= 0; end = waiting.indexOf(newline)) {
      line(waiting.subarray(0, end + 1))
      waiting = waiting.subarray(end + 1)
    }
    if (waiting.length > maxMessageBytes) socket.destroy()
  })
}

/** Lets a server be asked on a TCP port of this machine; 0 takes a free one. Resolves when it listens. */
export function listenControl(server: StorageServer, port = 0, host = '127.0.0.1'): Promise<Server> {
  const listening = createServer((socket) => {
    let answered = Promise.resolve()
    socket.on('error', () => socket.destroy())
    onLines(socket, (message) => {
      answered = answered.then(async () => {
        const reply = await server.handle(message)
        if (!socket.destroyed) socket.write(reply)
      })
    })
  })
  return new Promise((resolve, reject) => {
    listening.once('error', reject)
    listening.listen(port, host, () => resolve(listening))
  })
}

export interface ControlLink {
  readonly channel: ControlChannel
  close(): void
}

/** Connects to a server's control port. */
export function connectControl(port: number, host = '127.0.0.1'): Promise<ControlLink> {
  const socket = connect(port, host)
  const waiting: { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }[] = []
  onLines(socket, (reply) => waiting.shift()?.resolve(reply))
  const ended = () => {
    const error = new BlockboxError('USAGE', 'the storage server closed the control connection')
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  socket.on('close', ended)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.on('error', () => socket.destroy())
      const channel: ControlChannel = (message) =>
        new Promise((answer, fail) => {
          waiting.push({ resolve: answer, reject: fail })
          socket.write(message)
        })
      resolve({ channel, close: () => socket.end() })
    })
  })
}
