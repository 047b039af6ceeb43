import { AND, type Instruction, JUMP, LOAD, RETURN_VALUE, TESTS } from "./bpf.js";
import type { Node } from "./graph.js";

/** The farthest that a compare can jump. */
const FAR = 255;

/**
 * Puts a graph into an order that BPF can run: it only jumps forward. Written from the end, so that every target has
 * its place before the jump to it. A target that is too far gets a stepping stone: another copy of a leaf, which
 * costs no step, or an unconditional jump.
 */
export function assemble(entry: Node): Instruction[] {
  const program = new BackwardProgram();
  const stack: Node[] = [entry];
  while (stack.length > 0) {
    const node = stack.at(-1)!;
    const waiting = program.has(node) ? undefined : listTargets(node).find((target) => !program.has(target));
    if (waiting) stack.push(waiting);
    else program.put(stack.pop()!);
  }
  return program.finish();
}

/** The branch taken when a compare fails comes last, and so stands right behind it. */
function listTargets(node: Node): Node[] {
  if (node.type === "return") return [];
  return node.type === "jump" ? [node.yes, node.no] : [node.next];
}

class BackwardProgram {
  /** Last instruction first. */
  readonly #instructions: Instruction[] = [];
  /** Where in it a node begins; the nearest place when there are several. */
  readonly #places = new Map<Node, number>();

  has(node: Node): boolean {
    return this.#places.has(node);
  }

  put(node: Node): void {
    if (this.has(node)) return;
    if (node.type === "return") this.#add(node, { code: RETURN_VALUE, yes: 0, no: 0, k: node.k });
    else if (node.type === "jump") this.#putJump(node);
    else this.#putStep(node);
  }

  finish(): Instruction[] {
    return this.#instructions.reverse();
  }

  #putJump(node: Extract<Node, { type: "jump" }>): void {
    // A stone for one target pushes the other away, at most over the edge once.
    for (let far; (far = [node.yes, node.no].find((target) => this.#distance(target) > FAR)); ) this.#putStone(far);
    this.#add(node, { code: TESTS[node.test], yes: this.#distance(node.yes), no: this.#distance(node.no), k: node.k });
  }

  #putStep(node: Extract<Node, { type: "load" | "and" }>): void {
    if (this.#distance(node.next) > 0) this.#putStone(node.next);
    this.#add(node, { code: node.type === "load" ? LOAD : AND, yes: 0, no: 0, k: node.type === "load" ? node.offset : node.k });
  }

  #putStone(node: Node): void {
    if (node.type === "return") this.#add(node, { code: RETURN_VALUE, yes: 0, no: 0, k: node.k });
    else this.#add(node, { code: JUMP, yes: 0, no: 0, k: this.#distance(node) });
  }

  /** Instructions between the next one that is put and the node. */
  #distance(node: Node): number {
    return this.#instructions.length - 1 - this.#places.get(node)!;
  }

  #add(node: Node, instruction: Instruction): void {
    this.#places.set(node, this.#instructions.length);
    this.#instructions.push(instruction);
  }
}
