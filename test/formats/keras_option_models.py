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
        L.TimeDistributed(L.SimpleRNN(2))(words),
        L.TimeDistributed(L.SimpleRNN(2))(each),
        L.TimeDistributed(L.Bidirectional(L.GRU(2)))(steps),
        L.TimeDistributed(L.LSTM(2))(L.TimeDistributed(L.Dense(2))(words)),
        L.TimeDistributed(L.LSTM(2))(L.Masking()(x)),
        L.TimeDistributed(L.GlobalAveragePooling1D())(words),
        L.TimeDistributed(inner)(words),
        L.TimeDistributed(L.SimpleRNN(2))(rows(ids)),
    ]
    # Keras 3 leaves the mask as it is, with which no layer after it runs.
    read = [each, steps, rows(ids)] if new else [words, each, steps, rows(ids)]
    branches += [L.LSTM(2)(L.TimeDistributed(L.SimpleRNN(2))(one)) for one in read]
    return [ids, x], branches


MODELS = [within]
