/**
 * Waiting requests by range, so that what overlaps a range is found without walking the queue.
 *
 * A search tree in order of offsets, each node with the furthest end and the smallest number below it: a branch that ends
 * before the range, or holds nothing old enough, is not entered. Weights drawn from the numbers keep the tree flat on
 * average (a treap: Seidel and Aragon, Randomized Search Trees, 1996), the same for the same requests.
 */

import { overlap, type Range } from './range.ts'

/** `io` (the sequence number of the submission) names a request and orders it. */
type Numbered = Range & { readonly io: number }

interface Node<Item> {
  readonly item: Item
  readonly weight: number
  left: Node<Item> | undefined
  right: Node<Item> | undefined
  /** Of the items from here down: the furthest end, and the smallest number. */
  end: number
  oldest: number
}

type Tree<Item> = Node<Item> | undefined

/** Held by volume. An empty range overlaps nothing. */
export class RangeIndex<Item extends Numbered> {
  #root: Tree<Item>

  add(item: Item): void {
    if (item.length === 0) return
    const node: Node<Item> = {
      ...{ item, weight: scattered(item.io), left: undefined, right: undefined },
      ...{ end: item.offset + item.length, oldest: item.io },
    }
    this.#root = inserted(this.#root, node)
  }

  remove(item: Item): void {
    if (item.length > 0) this.#root = removed(this.#root, item)
  }

  /** Those that overlap `range`, oldest first, each once. */
  overlapping(range: Range): Item[] {
    const found: Item[] = []
    if (range.length > 0) collect(this.#root, range, found)
    return found.sort((a, b) => a.io - b.io)
  }

  /** One that overlaps `range` and is older than `io`; undefined when there is none. */
  older(range: Range, io: number): Item | undefined {
    return range.length === 0 ? undefined : olderIn(this.#root, range, io)
  }
}

function olderIn<Item extends Numbered>(tree: Tree<Item>, range: Range, io: number): Item | undefined {
  if (tree === undefined || tree.end <= range.offset || tree.oldest >= io) return undefined
  const { item } = tree
  const found = olderIn(tree.left, range, io)
  if (found !== undefined || item.offset >= range.offset + range.length) return found
  return item.io < io && overlap(item, range) ? item : olderIn(tree.right, range, io)
}

function collect<Item extends Numbered>(tree: Tree<Item>, range: Range, found: Item[]): void {
  if (tree === undefined || tree.end <= range.offset) return
  collect(tree.left, range, found)
  if (tree.item.offset >= range.offset + range.length) return
  if (overlap(tree.item, range)) found.push(tree.item)
  collect(tree.right, range, found)
}

function inserted<Item extends Numbered>(tree: Tree<Item>, node: Node<Item>): Node<Item> {
  if (tree === undefined) return node
  if (node.weight > tree.weight) {
    const [left, right] = split(tree, node.item)
    node.left = left
    node.right = right
    return summed(node)
  }
  if (isBefore(node.item, tree.item)) tree.left = inserted(tree.left, node)
  else tree.right = inserted(tree.right, node)
  return summed(tree)
}

function removed<Item extends Numbered>(tree: Tree<Item>, item: Item): Tree<Item> {
  if (tree === undefined) return undefined
  if (tree.item.io === item.io) return joined(tree.left, tree.right)
  if (isBefore(item, tree.item)) tree.left = removed(tree.left, item)
  else tree.right = removed(tree.right, item)
  return summed(tree)
}

/** What stands before an item, and the rest. */
function split<Item extends Numbered>(tree: Tree<Item>, at: Item): [Tree<Item>, Tree<Item>] {
  if (tree === undefined) return [undefined, undefined]
  if (isBefore(tree.item, at)) {
    const [left, right] = split(tree.right, at)
    tree.right = left
    return [summed(tree), right]
  }
  const [left, right] = split(tree.left, at)
  tree.left = right
  return [left, summed(tree)]
}

function joined<Item extends Numbered>(left: Tree<Item>, right: Tree<Item>): Tree<Item> {
  if (left === undefined) return right
  if (right === undefined) return left
  if (left.weight > right.weight) {
    left.right = joined(left.right, right)
    return summed(left)
  }
  right.left = joined(left, right.left)
  return summed(right)
}

function summed<Item extends Numbered>(node: Node<Item>): Node<Item> {
  const { item, left, right } = node
  node.end = Math.max(item.offset + item.length, left?.end ?? 0, right?.end ?? 0)
  node.oldest = Math.min(item.io, left?.oldest ?? item.io, right?.oldest ?? item.io)
  return node
}

function isBefore(a: Numbered, b: Numbered): boolean {
  return a.offset < b.offset || (a.offset === b.offset && a.io < b.io)
}

/** A number's weight: neighbours get weights far apart. The mixing is MurmurHash3's. */
function scattered(io: number): number {
  let mixed = (io ^ Math.floor(io / 2 ** 32)) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
