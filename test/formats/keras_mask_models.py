"""The models of `make_keras_layers.py FRAMEWORK mask`: what layers make of masks beside other inputs, and of cells.

Each is a function of the framework and of whether it is Keras 3. It gives the inputs and the branches.
"""


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


MODELS = [cells]
