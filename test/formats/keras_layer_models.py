"""The models of make_keras_layers.py: for each family of layers one with many branches off its inputs.

Each is a function of the framework and of whether it is Keras 3. It gives the inputs and the branches.
"""


def each(x, layers):
    return [layer(x) for layer in layers]


def conv1d(K, new):
    L = K.layers
    x = K.Input((7, 4), name="x")
    layers = [
        L.Conv1D(3, 3),
        L.Conv1D(2, 3, strides=2, padding="same", activation="relu"),
        L.Conv1D(2, 4, strides=3, padding="same", use_bias=False),
        L.Conv1D(2, 3, padding="causal", dilation_rate=2),
        L.Conv1D(2, 2, padding="causal", strides=2),
        L.Conv1D(2, 4, padding="same", activation="tanh"),
        L.Conv1D(2, 2, dilation_rate=3, padding="same"),
        L.Conv1D(4, 2, groups=2),
        L.SeparableConv1D(3, 3, padding="same", depth_multiplier=2, activation="relu"),
        L.SeparableConv1D(2, 2, padding="valid" if new else "causal", dilation_rate=2, use_bias=False),
        L.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2),
        L.DepthwiseConv1D(2, use_bias=False),
        L.Conv1DTranspose(2, 3),
        L.Conv1DTranspose(2, 3, strides=2, padding="same", activation="relu"),
        L.Conv1DTranspose(2, 2, strides=3, use_bias=False),
        L.Conv1DTranspose(2, 2, strides=3, padding="same"),
        L.Conv1DTranspose(2, 4, strides=2, padding="valid", output_padding=1),
        L.Conv1DTranspose(2, 3, strides=2, padding="same", output_padding=1),
    ]
    return [x], each(x, layers)


def conv2d(K, new):
    L = K.layers
    x = K.Input((5, 6, 2), name="x")
    layers = [
        L.Conv2D(2, 3),
        L.Conv2D(2, (2, 3), strides=2, padding="same", activation="relu"),
        L.Conv2D(2, 2, dilation_rate=(1, 2), padding="same", use_bias=False),
        L.Conv2D(2, (1, 3), strides=(2, 1)),
        L.Conv2D(2, 2, groups=2),
        L.SeparableConv2D(2, (3, 2), padding="same", depth_multiplier=2),
        L.SeparableConv2D(2, 2, strides=2, use_bias=False),
        L.DepthwiseConv2D((2, 3), padding="same", depth_multiplier=2),
        L.DepthwiseConv2D(3, strides=2, use_bias=False, activation="relu"),
        L.Conv2DTranspose(2, 3),
        L.Conv2DTranspose(2, (3, 2), strides=2, padding="same"),
        L.Conv2DTranspose(1, 2, strides=(1, 3), output_padding=(0, 1)),
    ]
    return [x], each(x, layers)


def pooling(K, new):
    L = K.layers
    x = K.Input((7, 3), name="x")
    y = K.Input((5, 6, 2), name="y")
    layers1 = [
        L.MaxPooling1D(),
        L.MaxPooling1D(3, strides=2, padding="same"),
        L.AveragePooling1D(2),
        L.AveragePooling1D(3, strides=1, padding="same"),
        L.GlobalMaxPooling1D(),
        L.GlobalAveragePooling1D(),
        L.GlobalAveragePooling1D(keepdims=True),
    ]
    layers2 = [
        L.MaxPooling2D(),
        L.MaxPooling2D((3, 2), strides=(1, 2), padding="same"),
        L.AveragePooling2D((2, 3)),
        L.AveragePooling2D(3, strides=2, padding="same"),
        L.GlobalMaxPooling2D(keepdims=True),
        L.GlobalMaxPooling2D(),
        L.GlobalAveragePooling2D(),
    ]
    return [x, y], [L.Dense(1)(x)] + each(x, layers1) + each(y, layers2)


def shapes(K, new):
    L = K.layers
    x = K.Input((4, 3), name="x")
    y = K.Input((3, 4, 2), name="y")
    z = K.Input((3,), name="z")
    layers1 = [
        L.Reshape((6, 2)),
        L.Reshape((-1,)),
        L.Reshape((2, -1, 3)),
        L.Permute((2, 1)),
        L.ZeroPadding1D(),
        L.ZeroPadding1D((2, 1)),
        L.Cropping1D(),
        L.Cropping1D((0, 2)),
        L.UpSampling1D(3),
    ]
    layers2 = [
        L.Reshape((12, 2)),
        L.Permute((3, 1, 2)),
        L.ZeroPadding2D(2),
        L.ZeroPadding2D(((1, 0), (2, 3))),
        L.Cropping2D(1),
        L.Cropping2D(((0, 1), (1, 2))),
        L.UpSampling2D(),
        L.UpSampling2D((2, 3), interpolation="bilinear"),
    ]
    return [x, y, z], [L.Dense(1)(x)] + each(x, layers1) + each(y, layers2) + [L.RepeatVector(3)(z)]


def normalise(K, new):
    L = K.layers
    x = K.Input((4, 3), name="x")
    y = K.Input((3, 4, 2), name="y")
    z = K.Input((3,), name="z")
    layers1 = [
        L.BatchNormalization(),
        L.BatchNormalization(axis=1, scale=False, epsilon=0.01),
        L.BatchNormalization(center=False),
        L.BatchNormalization(center=False, scale=False),
        L.LayerNormalization(),
        L.LayerNormalization(axis=[1, 2], epsilon=0.1),
        L.LayerNormalization(center=False),
        L.LayerNormalization(scale=False),
        L.UnitNormalization(),
        L.UnitNormalization(axis=[1, 2]),
        L.Rescaling(0.5, offset=2),
        L.Normalization(),
        L.Normalization(axis=1),
        L.Normalization(axis=None),
        L.Normalization(mean=[1, 2, 3], variance=[4, 5, 6]),
        L.Normalization(axis=None, mean=2, variance=3, invert=True),
    ]
    layers2 = [L.BatchNormalization(), L.LayerNormalization(axis=[2, 3])]
    return [x, y, z], each(x, layers1) + each(y, layers2) + each(z, [L.BatchNormalization()])


def activations(K, new):
    L = K.layers
    x = K.Input((4, 3), name="x")
    y = K.Input((3, 4, 2), name="y")
    slope = dict(negative_slope=0.2) if new else dict(alpha=0.2)
    layers = [
        L.ReLU(),
        L.ReLU(max_value=1, negative_slope=0.25),
        L.ReLU(threshold=0.5),
        L.ReLU(threshold=0.25, negative_slope=0.5, max_value=0.75),
        L.LeakyReLU(),
        L.LeakyReLU(**slope),
        L.PReLU(),
        L.PReLU(shared_axes=[1]),
        L.ELU(),
        L.ELU(alpha=0.5),
        L.Softmax(),
        L.Softmax(axis=1),
    ]
    if not new:
        layers.append(L.ThresholdedReLU(0.5))
    return [x, y], each(x, layers) + [L.PReLU(shared_axes=[1, 2])(y)]


def merge(K, new):
    L = K.layers
    x = K.Input((4, 3), name="x")
    y = K.Input((4, 3), name="y")
    z = K.Input((3,), name="z")
    w = K.Input((3,), name="w")
    branches = [L.Dense(2)(x)]
    for make in (L.Add, L.Multiply, L.Average, L.Maximum, L.Minimum):
        branches.append(make()([x, y, x]))
    branches += [
        L.Subtract()([x, y]),
        L.Add()([x, z]),
        L.Multiply()([z, y]),
        L.Concatenate()([x, y]),
        L.Concatenate(axis=1)([x, y, x]),
        L.Concatenate()([z, w]),
        L.Dot(axes=1)([z, w]),
        L.Dot(axes=2)([x, y]),
        L.Dot(axes=(1, 1))([x, y]),
        L.Dot(axes=(2, 1))([x, K.layers.Permute((2, 1))(y)]),
        L.Dot(axes=-1, normalize=True)([x, y]),
        L.Dot(axes=(2, 1))([x, z]),
        L.Dot(axes=(1, 2), normalize=True)([z, x]),
    ]
    return [x, y, z, w], branches


def attention(K, new):
    L = K.layers
    x = K.Input((4, 3), name="x")
    y = K.Input((5, 3), name="y")
    z = K.Input((5, 3), name="z")
    m = K.Input((4, 5), dtype="bool", name="m")
    branches = [
        L.Attention()([x, y]),
        L.Attention(use_scale=True)([x, y, z]),
        L.Attention(score_mode="concat")([x, y]),
        L.Attention(use_scale=True, score_mode="concat")([x, y], use_causal_mask=True),
        *L.Attention()([x, y], return_attention_scores=True),
        L.AdditiveAttention()([x, y]),
        L.AdditiveAttention(use_scale=False)([x, y, z]),
        L.MultiHeadAttention(2, 4)(x, y),
        L.MultiHeadAttention(2, 3, value_dim=2, use_bias=False)(x, y, key=z),
        L.MultiHeadAttention(3, 2, output_shape=5)(x, x, use_causal_mask=True),
        L.MultiHeadAttention(1, 2, dropout=0.1)(x, value=y, attention_mask=m),
    ]
    if not new:
        branches += L.MultiHeadAttention(2, 2)(y, z, return_attention_scores=True)
    return [x, y, z, m], branches


def operations(K, new):
    """What Keras 3 writes into functional models for operations."""
    if not new:
        return None
    L, O = K.layers, K.ops
    x = K.Input((4, 3), name="x")
    y = K.Input((4, 3), name="y")
    i = K.Input((4,), dtype="int32", name="i")
    unary = "abs exp sigmoid tanh relu silu softplus softsign selu relu6 hard_sigmoid hard_silu log_sigmoid floor"
    unary += " ceil square negative leaky_relu elu celu gelu log_softmax normalize"
    binary = "subtract multiply maximum minimum equal not_equal greater greater_equal less less_equal"
    branches = [L.Dense(2)(x), x + 1.5, 2 - x, i + 2, i * 0.5, -x, x / (O.abs(y) + 1), x**2]
    branches += [getattr(O, name)(x) for name in unary.split()]
    branches += [O.cast(getattr(O, name)(x, y), "float32") for name in binary.split()]
    branches += [O.cast(getattr(O, name)(i, 2), "int32") for name in ("not_equal", "less", "minimum")]
    branches += [O.power(O.abs(x), 0.5), O.divide(x, O.exp(y)), O.sqrt(O.square(x)), O.log(O.abs(x) + 1), O.reciprocal(O.abs(x) + 1)]
    branches += [O.softmax(x), O.softmax(x, axis=1), O.gelu(x, approximate=False), O.leaky_relu(x, 0.4)]
    branches += [O.sum(x, axis=-1), O.sum(x, axis=1, keepdims=True), O.mean(x, axis=[1, 2]), O.max(x, axis=1)]
    branches += [O.min(x, axis=-1), O.argmax(x, -1), O.argmin(x, axis=1, keepdims=True)]
    branches += [O.cast(O.any(O.not_equal(i, 0), axis=-1), "int32"), O.cast(O.all(x > -1, axis=-1, keepdims=True), "float32")]
    branches += [x[:, -1], x[:, 1:3, ::2], x[..., 0], x[:, None, :, 1], x[:, ::-1], x[:, -3:-1], x[:, 2, -2]]
    branches += [O.expand_dims(x, 1), O.squeeze(O.expand_dims(x, -1), -1), O.concatenate([x, y], axis=1)]
    branches += [O.concatenate([x, i[..., None]], axis=-1), O.stack([x, y], axis=-1), O.transpose(x, (0, 2, 1))]
    branches += [O.swapaxes(x, 1, 2), O.reshape(x, (-1, 12)), O.flip(x, axis=1), O.clip(x, -0.5, 1)]
    branches += [O.matmul(x, O.transpose(y, (0, 2, 1))), O.where(x > 0, x, y), O.where(x > y, x, 0.0), x * y[:, :1]]
    both = [O.logical_and(x > 0, y > 0), O.logical_or(x > 0, y > 0), O.logical_xor(x > 0, y > 0), O.logical_not(x > 0)]
    branches += [O.cast(one, "float32") for one in both]
    return [x, y, i], branches


def chain(K, new):
    """Convolutions one after the other, with what stands between them."""
    L = K.layers
    x = K.Input((6, 8, 2), name="x")
    a = L.Conv2D(4, 3, padding="same", name="first")(x)
    a = L.ReLU()(L.BatchNormalization()(a))
    b = L.Conv2D(4, 3, padding="same", activation="tanh")(L.ZeroPadding2D(1)(a))
    b = L.PReLU(shared_axes=[1, 2])(L.Cropping2D(1)(b))
    c = L.MaxPooling2D()(L.LeakyReLU()(L.Add()([a, b])))
    d = L.Concatenate()([L.Conv2D(2, 1, activation="silu")(c), L.Multiply()([c, c])])
    d = L.BatchNormalization(scale=False)(L.DepthwiseConv2D(2)(L.UpSampling2D()(d)))
    y = K.Input((8, 2), name="y")
    e = L.Conv1D(3, 3, padding="causal", activation="relu")(y)
    e = L.Conv1D(3, 2, padding="causal", dilation_rate=2)(L.BatchNormalization()(e))
    return [x, y], [L.Dense(2)(L.GlobalAveragePooling2D()(d)), e]


def masked(K, new):
    """What each layer makes of masks."""
    L = K.layers
    x = K.Input((5, 3), name="masked_x")
    y = K.Input((5, 3), name="masked_y")
    a, b = L.Masking()(x), L.Masking()(y)
    joined = [L.Add()([a, b]), L.Multiply()([a, y]), L.Concatenate()([a, b]), L.Concatenate(axis=1)([a, b])]
    joined += [L.LayerNormalization()(a), L.BatchNormalization()(a), L.UnitNormalization()(a), L.PReLU()(a)]
    joined += [L.Conv1D(3, 2)(a), L.Attention()([a, b]), L.AdditiveAttention()([y, b]), L.ReLU()(a), L.Rescaling(2)(a)]
    branches = [L.SimpleRNN(2)(one) for one in joined]
    branches += [L.GlobalAveragePooling1D()(a), L.GlobalMaxPooling1D()(a), L.GlobalAveragePooling1D(keepdims=True)(b)]
    # Keras 3 takes the mask off a tensor that it attends to, for whoever reads it later.
    branches += [L.Attention(use_scale=True)([a, b]), L.MultiHeadAttention(2, 2)(y, L.Masking()(x))]
    return [x, y], branches


def stream(K, new):
    """A model that can go step by step: each output needs what was, and nothing of what comes."""
    L = K.layers
    x = K.Input((None, 2), name="x")
    a = L.Conv1D(4, 3, padding="causal", activation="relu")(x)
    a = L.Conv1D(4, 2, padding="causal", dilation_rate=3)(L.BatchNormalization()(a))
    a = L.Add()([L.LayerNormalization()(a), L.DepthwiseConv1D(1)(a)])
    a = L.Concatenate()([L.Conv1D(2, 1, activation="tanh")(a), L.Reshape((-1, 4))(a) if not new else a])
    return [x], [L.Dense(2)(a), L.LSTM(3, return_sequences=True)(a)]


MODELS = [conv1d, conv2d, pooling, shapes, normalise, activations, merge, attention, operations, chain, masked, stream]
