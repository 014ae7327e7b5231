/**
 * A network as its users see it: how many bytes went over it. The data network (N1) joins device, backup store, mover
 * and hosts; the control network (N2) joins client and server alone (SPEC 2.1).
 */

export class Network {
  readonly name: string
  #bytes = 0
  #messages = 0

  constructor(name: string) {
    this.name = name
  }

  /** Bytes carried so far, both ways. */
  get bytes(): number {
    return this.#bytes
  }

  get messages(): number {
    return this.#messages
  }

  /** Counts what is sent, and hands it on. */
  carry(bytes: Uint8Array): Uint8Array {
    this.#bytes += bytes.length
    this.#messages++
    return bytes
  }
}
