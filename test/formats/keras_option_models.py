"""The models of `make_keras_layers.py FRAMEWORK option`: options of layers that few models have.

Each is a function of the framework and of whether it is Keras 3. It gives the inputs and the branches.
"""


def within(K, new):
    """Masks of the steps within each step: what a TimeDistributed takes of them, and gives."""
    L = K.layers
    ids = K.Input((3, 4), dtype="int32", name="ids")
    x = K.Input((3, 4, 2), name="masked_x")
    words = L.Embedding(4, 3, mask_zero=True)(ids)
    each = L.TimeDistributed(L.Embedding(4, 3, mask_zero=True))(ids)
    steps = L.TimeDistributed(L.Masking())(x)
    rows = L.TimeDistributed(K.Sequential([K.Input((4,)), L.Embedding(4, 2, mask_zero=True), L.GRU(2, return_sequences=True)]))
    inner = K.Sequential([K.Input((4, 3)), L.Dense(2), L.Bidirectional(L.LSTM(2))])
    branches = [
        L.TimeDistributed(L.GRU(2))(words),
        L.TimeDistributed(L.GRU(2))(each),
        L.TimeDistributed(L.Bidirectional(L.GRU(2)))(steps),
        L.TimeDistributed(L.LSTM(2))(L.TimeDistributed(L.Dense(2))(words)),
        L.TimeDistributed(L.LSTM(2))(L.Masking()(x)),
        L.TimeDistributed(L.GlobalAveragePooling1D())(words),
        L.TimeDistributed(inner)(words),
        L.TimeDistributed(L.GRU(2))(rows(ids)),
    ]
    # Keras 3 leaves the mask as it is, with which no layer after it runs.
    read = [each, steps, rows(ids)] if new else [words, each, steps, rows(ids)]
    branches += [L.LSTM(2)(L.TimeDistributed(L.GRU(2))(one)) for one in read]
    return [ids, x], branches


def channels_first(K, new):
    """Channels before the axes that windows go over."""
    L = K.layers
    first = dict(data_format="channels_first")
    x = K.Input((4, 7), name="x")
    y = K.Input((2, 5, 6), name="y")
    both = [L.Flatten(**first)]
    layers1 = [L.GlobalMaxPooling1D(**first), L.GlobalAveragePooling1D(keepdims=True, **first)]
    layers2 = [
        L.GlobalAveragePooling2D(**first),
        L.GlobalMaxPooling2D(keepdims=True, **first),
        L.ZeroPadding2D(((1, 0), (2, 3)), **first),
        L.Cropping2D(((0, 1), (1, 2)), **first),
        L.UpSampling2D((2, 3), **first),
        L.UpSampling2D(2, interpolation="bilinear", **first),
    ]
    # tf_keras has none of these on a CPU.
    if new:
        layers1 += [
            L.Conv1D(3, 3, **first),
            L.Conv1D(2, 3, strides=2, padding="same", activation="relu", **first),
            L.Conv1D(2, 3, padding="causal", dilation_rate=2, activation="softmax", **first),
            L.Conv1D(4, 2, groups=2, **first),
            L.SeparableConv1D(3, 3, padding="same", depth_multiplier=2, activation="tanh", **first),
            L.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2, **first),
            L.Conv1DTranspose(2, 3, strides=2, padding="same", **first),
            L.MaxPooling1D(3, strides=2, padding="same", **first),
            L.AveragePooling1D(2, **first),
            L.ZeroPadding1D((2, 1), **first),
        ]
        layers2 += [
            L.Conv2D(2, (2, 3), strides=2, padding="same", activation="relu", **first),
            L.Conv2D(2, 2, dilation_rate=(1, 2), use_bias=False, activation="softmax", **first),
            L.SeparableConv2D(2, (3, 2), padding="same", depth_multiplier=2, **first),
            L.DepthwiseConv2D((2, 3), padding="same", depth_multiplier=2, **first),
            L.Conv2DTranspose(2, (3, 2), strides=2, padding="same", **first),
            L.MaxPooling2D((3, 2), strides=(1, 2), padding="same", **first),
            L.AveragePooling2D((2, 3), **first),
        ]
    branches = [layer(x) for layer in both + layers1] + [layer(y) for layer in both + layers2]
    if new:
        # One after the other, as networks of PyTorch's order have them.
        a = L.ReLU()(L.BatchNormalization(axis=1)(L.Conv2D(4, 3, padding="same", name="first", **first)(y)))
        b = L.Conv2D(4, 3, padding="same", activation="silu", **first)(L.MaxPooling2D(**first)(a))
        c = L.Concatenate(axis=1)([L.Add()([a, L.UpSampling2D(2, **first)(L.ZeroPadding2D(((0, 1), (0, 0)), **first)(b))[:, :, :5]]), y])
        branches += [L.Dense(2)(L.Flatten(**first)(c)), L.LSTM(2)(L.Reshape((6, 5 * 6))(c))]
    return [x, y], branches


def axes(K, new):
    """Attention and Dot of more axes than three."""
    L = K.layers
    x = K.Input((2, 4, 3), name="x")
    y = K.Input((2, 5, 3), name="y")
    z = K.Input((2, 5, 3), name="z")
    w = K.Input((3, 4, 3), name="w")
    m = K.Input((4, 5), dtype="bool", name="m")
    n = K.Input((2, 4, 2, 5), dtype="bool", name="n")
    a = K.Input((3, 2, 2, 4), name="a")
    v = K.Input((3,), name="v")
    heads = L.MultiHeadAttention
    branches = [
        L.Attention(use_scale=True)([x, y, z]),
        L.Attention(score_mode="concat")([x, y], use_causal_mask=True),
        *L.Attention()([x, y], return_attention_scores=True),
        L.AdditiveAttention()([x, y, z]),
        heads(2, 3)(x, y),
        heads(2, 3, attention_axes=2, value_dim=2)(x, y, key=z, attention_mask=m),
        heads(2, 3, attention_axes=(1,), output_shape=4)(x, w, use_causal_mask=True),
        heads(2, 2, attention_axes=[1, 2])(x, y, attention_mask=n),
        heads(2, 2, attention_axes=[2, 1])(x, z),
        heads(1, 2, attention_axes=[1, 3])(a, a),
        L.Dot(axes=(3, 2))([x, L.Permute((1, 3, 2))(y)]),
        L.Dot(axes=1)([x, y]),
        L.Dot(axes=(2, 3), normalize=True)([L.Permute((1, 3, 2))(x), z]),
        L.Dot(axes=(1, 3))([v, x]),
        L.Dot(axes=(1, 1))([a, v]),
        L.Dot(axes=(3, 1))([y, L.Reshape((3, 8))(L.Permute((3, 1, 2))(x))]),
    ]
    if not new:
        # Keras 3 says that these scores have other axes.
        for axis in (None, 2):
            branches += heads(2, 2, attention_axes=axis)(x, y, return_attention_scores=True)
        branches.append(heads(2, 2)(L.Reshape((8, 3))(x), L.Reshape((10, 3))(y), attention_mask=L.Reshape((1, 8, 10))(n)))
    return [x, y, z, w, m, n, a, v], branches


def augmented(K, new):
    """Layers that do nothing after training. An Identity of Keras 3 keeps masks."""
    L = K.layers
    x = K.Input((4, 5, 2), name="x")
    y = K.Input((5, 3), name="masked_y")
    layers = [L.Identity(), L.RandomBrightness(0.5), L.RandomContrast(0.5), L.RandomFlip()]
    if new:
        # Those of tf_keras have no float64.
        layers += [L.RandomRotation(0.5), L.RandomTranslation(0.5, 0.5), L.RandomZoom(0.5)]
    return [x, y], [layer(x) for layer in layers] + [L.LSTM(2)(L.Identity()(L.Masking()(y)))]


MODELS = [within, channels_first, axes, augmented]
