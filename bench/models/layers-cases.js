/**
 * The layers models of TensorFlow.js (layers-models.js): what one call takes, and the floor of the ratio to TF.js on
 * tfjs-backend-wasm. `ids`: how many there are; none is 0, so that no mask hides one.
 */
export const LAYERS_CASES = [
  { name: "2 BiLSTM 64, 30 frames of 1,662 numbers", key: "signs", floor: 12, shape: [1, 30, 1662] },
  { name: "LSTM 128, 40 characters", key: "characters", floor: 20, shape: [1, 40, 57] },
  { name: "2 GRU 128, stateful, a step", key: "molecules", floor: 40, shape: [1, 1, 40], stateful: true },
  { name: "3 Conv2D and 2 BiLSTM, an image of 300 x 80", key: "captcha", floor: 2.2, shape: [1, 300, 80, 1] },
  { name: "2 BiLSTM 400 summed, 100 letters", key: "diacritics", floor: 4.5, shape: [1, 100], ids: 50 },
  { name: "BiGRU 20, 100 words", key: "sentiment", floor: 250, shape: [1, 100], ids: 20000 },
];
