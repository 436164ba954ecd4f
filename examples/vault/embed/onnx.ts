/** Writes the few parts of the ONNX format that a graph of matrices needs: bytes that an ONNX runtime loads as a model. */

export interface OnnxWeight {
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

type Attribute = number | readonly number[]

const float32 = 1
const int64 = 7
const opset = 17
const irVersion = 8

/** Nodes and weights in the order in which they are added: each names what it reads. */
export class OnnxGraph {
  readonly #nodes: Uint8Array[] = []
  readonly #weights: Uint8Array[] = []
  readonly #inputs: Uint8Array[] = []
  #last = 0

  /** @param shape names of dimensions that are of a call, numbers of those that are of the model */
  input(name: string, shape: readonly (string | number)[]): string {
    this.#inputs.push(field(11, value(name, shape)))
    return name
  }

  weight({ shape, values }: OnnxWeight): string {
    const name = `w${this.#weights.length}`
    const type = values instanceof Float32Array ? float32 : int64
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const tensor = [...shape.map((size) => whole(1, size)), whole(2, type), text(8, name), field(9, raw)]
    this.#weights.push(field(5, joined(tensor)))
    return name
  }

  /** A shape, or another list of whole numbers that an operator takes. */
  numbers(...values: readonly number[]): string {
    return this.weight({ shape: [values.length], values: BigInt64Array.from(values.map(BigInt)) })
  }

  /** @returns the name of what it makes */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    return this.nodes(operator, inputs, 1, attributes)[0] as string
  }

  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => `n${++this.#last}`)
    const parts = [
      ...inputs.map((name) => text(1, name)),
      ...names.map((name) => text(2, name)),
      text(4, operator),
      ...Object.entries(attributes).map(([name, given]) => field(5, attribute(name, given))),
    ]
    this.#nodes.push(field(1, joined(parts)))
    return names
  }

  /** @returns the model */
  bytes(output: string, shape: readonly (string | number)[]): Uint8Array {
    const graph = [
      ...this.#nodes,
      text(2, 'graph'),
      ...this.#weights,
      ...this.#inputs,
      field(12, value(output, shape)),
    ]
    return joined([
      whole(1, irVersion),
      field(8, joined([text(1, ''), whole(2, opset)])),
      field(7, joined(graph)),
    ])
  }
}

function value(name: string, shape: readonly (string | number)[]): Uint8Array {
  const sizes = shape.map((size) => field(1, typeof size === 'number' ? whole(1, size) : text(2, size)))
  const tensor = joined([whole(1, float32), field(2, joined(sizes))])
  return joined([text(1, name), field(2, field(1, tensor))])
}

/** Whole numbers and lists of them; a number that is not whole is a float. */
function attribute(name: string, given: Attribute): Uint8Array {
  if (typeof given !== 'number')
    return joined([text(1, name), ...given.map((one) => whole(8, one)), whole(20, 7)])
  if (Number.isInteger(given)) return joined([text(1, name), whole(3, given), whole(20, 2)])
  const bytes = new Uint8Array(Float32Array.of(given).buffer)
  return joined([text(1, name), varint((2 << 3) | 5), bytes, whole(20, 1)])
}

function text(number: number, of: string): Uint8Array {
  return field(number, new TextEncoder().encode(of))
}

function whole(number: number, of: number): Uint8Array {
  return joined([varint(number << 3), varint(of)])
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return joined([varint((number << 3) | 2), varint(bytes.length), bytes])
}

function varint(of: number): Uint8Array {
  const bytes: number[] = []
  let left = BigInt.asUintN(64, BigInt(of))
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128)
  return Uint8Array.of(...bytes, Number(left))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}
