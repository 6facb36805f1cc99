// The evaluation network in TensorFlow.js, written for its WebAssembly backend: batch norms folded into
// the layer before, biases and ReLU fused, one product for each LSTM cell. It reads our weights.

// The builds for browsers, as they publish them; both put themselves into the global tf.
import '../node_modules/@tensorflow/tfjs-core/dist/tf-core.es2017.min.js';
import '../node_modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.es2017.min.js';

const { tf } = globalThis;

const steps = 8;
const limit = 0.90625; // how far from the middle a place may lie
const reach = 0.75; // of a step to the next place
const [smallest, largest] = [Math.exp(-0.5), Math.exp(0.5)]; // standard deviations of the policy

/** Reads a safetensors file of float16 or float32 tensors. */
function readTensors(buffer) {
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8)));
  const kinds = { F16: Float16Array, F32: Float32Array };
  return Object.fromEntries(Object.entries(header).filter(([name, { dtype }]) => name !== '__metadata__' && kinds[dtype])
    .map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
      const values = Float32Array.from(new kinds[dtype](buffer.slice(start + from, start + to)));
      return [name, tf.tensor(values, shape)];
    }));
}

/** The network as a function of an image [128][128][3] in 0..1 that returns logits [classes]. */
function build(w) {
  const fold = (norm) => {
    const scale = tf.div(w[`${norm}.weight`], tf.sqrt(tf.add(w[`${norm}.running_var`], 1e-5)));
    return { scale, shift: tf.sub(w[`${norm}.bias`], tf.mul(w[`${norm}.running_mean`], scale)) };
  };
  const conv = (layer, norm) => {
    let filter = tf.transpose(w[`${layer}.weight`], [2, 3, 1, 0]); // [3][3][in][out]
    let bias = w[`${layer}.bias`];
    if (norm) {
      const { scale, shift } = fold(norm);
      [filter, bias] = [tf.mul(filter, scale), tf.add(tf.mul(bias, scale), shift)];
    }
    return (x) => tf.maxPool(tf.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', activation: 'relu' }), 2, 2, 'valid');
  };
  const dense = (b, bias, activation = 'linear') => (a) => tf.fused.matMul({ a, b, bias, activation });
  const linear = (layer, activation) => dense(tf.transpose(w[`${layer}.weight`]), w[`${layer}.bias`], activation);
  /** A layer behind a flattened map [channels][3][3], whose maps are [3][3][channels] here. */
  const flat = (layer) => {
    const [out, all] = w[`${layer}.weight`].shape;
    const channelsLast = tf.reshape(tf.transpose(tf.reshape(w[`${layer}.weight`], [out, all / 9, 9]), [2, 1, 0]), [all, out]);
    const layerOf = dense(channelsLast, w[`${layer}.bias`]);
    return (x) => layerOf(tf.reshape(x, [1, all]));
  };
  const lstm = (cell) => {
    const gates = dense(tf.transpose(tf.concat([w[`${cell}.weight_ih`], w[`${cell}.weight_hh`]], 1)),
      tf.add(w[`${cell}.bias_ih`], w[`${cell}.bias_hh`]));
    return (x, [h, c]) => {
      const [input, forget, now, output] = tf.split(gates(tf.concat([x, h], 1)), 4, 1);
      const next = tf.add(tf.mul(tf.sigmoid(forget), c), tf.mul(tf.sigmoid(input), tf.tanh(now)));
      return [tf.mul(tf.sigmoid(output), tf.tanh(next)), next];
    };
  };

  // Pixel (i, j) of the patch of scale k lies in column 64z(j/6 - 11/12) + 63.5 + 64x of the image, z being
  // 12/127·2^k, and in the row likewise: what tf.image.transform samples, a matrix for each of the four patches.
  const matrices = tf.tensor([0, 1, 2, 3].map((k) => {
    const z = 12 / 127 * 2 ** k;
    const [a, b] = [64 * z / 6, 63.5 - 64 * z * 11 / 12];
    return [a, 0, b, 0, a, b, 0, 0];
  }).flat(), [1, 32]);
  const toPlace = tf.tensor([0, 1].map((axis) => Array.from({ length: 32 }, (_, i) => (i % 8 === 2 + 3 * axis ? 64 : 0))).flat(), [2, 32]);
  const look = (images, place) => tf.reshape(
    tf.transpose(tf.image.transform(images, tf.reshape(tf.add(matrices, tf.matMul(place, toPlace)), [4, 8]), 'bilinear', 'constant', 0, [12, 12]), [1, 2, 0, 3]),
    [1, 12, 12, 12]);
  const picked = tf.tensor1d(Array.from({ length: 12 }, (_, i) => Math.floor(i * 128 / 12)), 'int32');

  const conv1 = conv('glimpse_net.fc_g.0', 'glimpse_net.fc_g.1');
  const conv2 = conv('glimpse_net.fc_g.4', 'glimpse_net.fc_g.5');
  const what = flat('glimpse_net.fc_gg');
  const placed = linear('glimpse_net.fc_l.0', 'relu');
  const where = linear('glimpse_net.fc_lg');
  const [lstm1, lstm2] = [lstm('rnn1.lstm_cell'), lstm('rnn2.lstm_cell')];
  const [context1, context2, context] = [conv('rnn2.context_net1.0'), conv('rnn2.context_net2.0'), flat('rnn2.fc')];
  const [class1, class2] = [linear('class_net.fc.0', 'relu'), linear('class_net.fc.2')];
  const { scale, shift } = fold('emission_net.fc.1');
  const emission = dense(tf.mul(tf.transpose(w['emission_net.fc.0.weight']), scale), tf.add(tf.mul(w['emission_net.fc.0.bias'], scale), shift), 'relu');
  const heads = ['mu', 'logvar'].map((head) => [w[`emission_net.${head}_net.0.weight`], w[`emission_net.${head}_net.0.bias`]]);
  const gaussian = dense(tf.transpose(tf.concat(heads.map(([weight]) => weight), 0)), tf.concat(heads.map(([, bias]) => bias), 0));
  const emit = (h) => {
    const [mu, logVar] = tf.split(tf.tanh(gaussian(emission(h))), 2, 1);
    return { mu, std: tf.exp(tf.div(logVar, 2)) };
  };

  return (image) => {
    const none = tf.zeros([1, 128]);
    const thumbnail = tf.gather(tf.gather(image, picked, 0), picked, 1);
    const images = tf.stack([image, image, image, image]); // one a patch; tf.tile takes 8 ms for this
    let second = [context(context2(context1(tf.expandDims(thumbnail, 0)))), none];
    let first = [none, none];
    let { mu } = emit(second[0]);
    let place = tf.clipByValue(mu, -limit, limit);
    let weight = tf.scalar(1);
    let [sum, total] = [tf.scalar(0), tf.scalar(0)];
    for (let i = 0; i < steps; i++) {
      const feature = tf.relu(tf.mul(what(conv2(conv1(look(images, place)))), where(placed(place))));
      first = lstm1(feature, first);
      sum = tf.add(sum, tf.mul(weight, class2(class1(first[0]))));
      total = tf.add(total, weight);
      if (i === steps - 1) break;
      second = lstm2(first[0], second);
      const next = emit(second[0]);
      place = tf.clipByValue(tf.add(place, tf.mul(next.mu, reach)), -limit, limit);
      weight = tf.sub(1, tf.div(tf.sub(tf.mean(next.std), smallest), largest - smallest));
    }
    return tf.div(sum, total);
  };
}

export async function start() {
  tf.wasm.setWasmPaths('/web/bench/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  tf.wasm.setThreadsCount(1);
  const weights = fetch('/weights.safetensors').then((response) => response.arrayBuffer());
  if (!await tf.setBackend('wasm')) throw new Error('the WebAssembly backend of TensorFlow.js does not start here');
  const network = build(readTensors(await weights));
  return (picture) => {
    const image = tf.tensor(Float32Array.from(picture, (v) => v / 255), [128, 128, 3]);
    const before = performance.now();
    const logits = tf.tidy(() => network(image)).dataSync();
    const time = performance.now() - before;
    image.dispose();
    return { logits, time };
  };
}
