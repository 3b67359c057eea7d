"""The models of `make_keras_layers.py FRAMEWORK mask`: what layers make of masks beside other inputs, and of cells.

Each is a function of the framework and of whether it is Keras 3. It gives the inputs and the branches.
"""


def merged(K, new):
    """Keras 3 leaves masked steps out of products and extremes, where the numbers of the others stand."""
    L = K.layers
    i = K.Input((5,), dtype="int32", name="i")
    x = K.Input((5, 3), name="masked_x")
    y = K.Input((5, 3), name="y")
    a, b = L.Embedding(4, 3, mask_zero=True)(i), L.Masking()(x)
    branches = []
    for make in (L.Multiply, L.Maximum, L.Minimum, L.Average):
        for inputs in ([a, b], [a, y], [y, b], [a, y, b], [b, y, b]):
            branches.append(make()(inputs))
        branches.append(L.SimpleRNN(2)(make()([b, a])))
        branches.append(make()([a, L.GlobalMaxPooling1D()(y)]))
    return [i, x, y], branches


def states(K, new):
    """Keras 3 hands no mask to a layer that takes states, and gives it to what comes after."""
    L = K.layers
    i = K.Input((5,), dtype="int32", name="i")
    x = K.Input((4, 3), name="masked_x")
    words = L.Embedding(4, 3, mask_zero=True)(i)
    steps = L.Masking()(x)
    branches = []
    for make in (L.LSTM, L.GRU, L.SimpleRNN):
        _, *given = make(2, return_state=True)(steps)
        rows = make(2, return_sequences=True)(words, initial_state=given)
        branches += [rows, L.GRU(2)(rows), make(2)(words, initial_state=given)]
    _, *given = L.Bidirectional(L.GRU(2, return_state=True))(steps)
    branches.append(L.Bidirectional(L.GRU(2, return_sequences=True))(words, initial_state=given))
    return [i, x], branches


def cells(K, new):
    """Cells one after the other in both directions, of which the last rows are taken."""
    L = K.layers
    x = K.Input((4, 3), name="masked_x")
    branches = []
    for mode in ("concat", "sum", None):
        for rows in (False, True):
            inner = L.RNN([L.GRUCell(2), L.LSTMCell(3)], return_sequences=rows)
            for given in (x, L.Masking()(x)):
                made = L.Bidirectional(inner, merge_mode=mode)(given)
                branches += made if isinstance(made, (list, tuple)) else [made]
    return [x], branches


def numbers(K, new):
    """Ids that are floats: 0.5 is id 0, and is not masked."""
    L = K.layers
    x = K.Input((4,), name="x")
    words = L.Embedding(4, 2, mask_zero=True)(L.ReLU(max_value=3)(x))
    return [x], [L.LSTM(2)(words), L.GlobalAveragePooling1D()(words)]


MODELS = [merged, states, cells, numbers]
