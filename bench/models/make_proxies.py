"""Writes small ONNX files with random weights in the shape of well-known models whose weights are large.

    pip install -r bench/models/requirements.txt
    python bench/models/make_proxies.py FOLDER

CRNN (text reader), an RNN-T decoder, PyanNet (speaker segmentation), NSNet2 (denoiser), GE2E (speaker encoder), a reader of
sign language, a classifier of packed texts and a step of an attention decoder. They are exported by TorchScript, as most
such files are. Then: PROXIES=FOLDER npm run bench:models, or PROXIES=FOLDER node bench/models/compare.js FOLDER
"""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn


class BidirectionalLSTM(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.rnn = nn.LSTM(inputs, hidden, bidirectional=True)
        self.embedding = nn.Linear(hidden * 2, outputs)

    def forward(self, x):
        y, _ = self.rnn(x)
        steps, batch, width = y.size()
        return self.embedding(y.view(steps * batch, width)).view(steps, batch, -1)


class CRNN(nn.Module):
    """The well-known shape of seven convolutions, narrow."""

    def __init__(self, classes=37, hidden=32, widths=(8, 16, 32, 32, 64, 64, 64)):
        super().__init__()
        layers = nn.Sequential()
        for at, (kernel, padding) in enumerate(zip([3, 3, 3, 3, 3, 3, 2], [1, 1, 1, 1, 1, 1, 0])):
            channels = 1 if at == 0 else widths[at - 1]
            layers.add_module(f"conv{at}", nn.Conv2d(channels, widths[at], kernel, 1, padding))
            if at in (2, 4, 6):
                layers.add_module(f"norm{at}", nn.BatchNorm2d(widths[at]))
            layers.add_module(f"relu{at}", nn.ReLU(True))
            if at in (0, 1):
                layers.add_module(f"pool{at}", nn.MaxPool2d(2, 2))
            if at in (3, 5):
                layers.add_module(f"pool{at}", nn.MaxPool2d((2, 2), (2, 1), (0, 1)))
        self.cnn = layers
        self.rnn = nn.Sequential(
            BidirectionalLSTM(widths[6], hidden, hidden), BidirectionalLSTM(hidden, hidden, classes)
        )

    def forward(self, x):
        columns = self.cnn(x).squeeze(2).permute(2, 0, 1)
        return F.log_softmax(self.rnn(columns), dim=2)


class Decoder(nn.Module):
    """Prediction network and joint of an RNN-T."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(65, 32, padding_idx=64)
        self.lstm = nn.LSTM(32, 32, 2, batch_first=True)
        self.proj = nn.Linear(32, 48)
        self.enc = nn.Linear(40, 48)
        self.out = nn.Linear(48, 65)

    def forward(self, encoded, tokens, h, c):
        y, (h, c) = self.lstm(self.embed(tokens), (h, c))
        joint = self.enc(encoded.transpose(1, 2)).unsqueeze(2) + self.proj(y).unsqueeze(1)
        return self.out(torch.relu(joint)), h, c


class PyanNet(nn.Module):
    """SincNet with its filters folded, four bidirectional LSTMs, two linear layers, log softmax."""

    def __init__(self):
        super().__init__()
        self.norm = nn.InstanceNorm1d(1, affine=True)
        self.conv1 = nn.Conv1d(1, 20, 251, stride=10, bias=False)
        self.norm1 = nn.InstanceNorm1d(20, affine=True)
        self.conv2 = nn.Conv1d(20, 16, 5)
        self.norm2 = nn.InstanceNorm1d(16, affine=True)
        self.conv3 = nn.Conv1d(16, 16, 5)
        self.norm3 = nn.InstanceNorm1d(16, affine=True)
        self.pool = nn.MaxPool1d(3, 3)
        self.lstm = nn.LSTM(16, 32, 4, batch_first=True, bidirectional=True)
        self.linear1 = nn.Linear(64, 32)
        self.linear2 = nn.Linear(32, 32)
        self.classifier = nn.Linear(32, 7)

    def forward(self, x):
        x = F.leaky_relu(self.norm1(self.pool(torch.abs(self.conv1(self.norm(x))))))
        x = F.leaky_relu(self.norm2(self.pool(self.conv2(x))))
        x = F.leaky_relu(self.norm3(self.pool(self.conv3(x))))
        y, _ = self.lstm(x.transpose(1, 2))
        return F.log_softmax(self.classifier(F.leaky_relu(self.linear2(F.leaky_relu(self.linear1(y))))), -1)


class NSNet2(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(161, 40)
        self.rnn = nn.GRU(40, 40, 2, batch_first=True)
        self.fc2 = nn.Linear(40, 60)
        self.fc3 = nn.Linear(60, 60)
        self.fc4 = nn.Linear(60, 161)

    def forward(self, x):
        y, _ = self.rnn(F.relu(self.fc1(x)))
        return torch.sigmoid(self.fc4(F.relu(self.fc3(F.relu(self.fc2(y))))))


class GE2E(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(40, 32, 3, batch_first=True)
        self.linear = nn.Linear(32, 32)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        embedding = F.relu(self.linear(h[-1]))
        return embedding / torch.norm(embedding, dim=1, keepdim=True)


class SignLanguage(nn.Module):
    """Landmarks of hands and face, frame by frame; one of 26 signs."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(159, 64, 2, batch_first=True)
        self.norm = nn.LayerNorm(64)
        self.linear = nn.Linear(64, 26)

    def forward(self, x):
        y, _ = self.gru(x)
        return self.linear(self.norm(y[:, -1]))


class PackedText(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 24, 2, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(48, 3)

    def forward(self, ids, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(ids), lengths, batch_first=True)
        _, (h, _) = self.lstm(packed)
        return self.linear(torch.cat([h[-2], h[-1]], 1))


class AttentionStep(nn.Module):
    """One step of a decoder that attends to its encoder's outputs."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 16)
        self.attend = nn.Linear(16, 16)
        self.gru = nn.GRU(32, 16, batch_first=True)
        self.linear = nn.Linear(32, 40)

    def forward(self, token, h, encoded):
        weights = torch.softmax(torch.bmm(self.attend(h[-1:].transpose(0, 1)), encoded.transpose(1, 2)), -1)
        context = torch.bmm(weights, encoded)
        y, h = self.gru(torch.cat([self.embed(token), context], -1), h)
        scores = self.linear(torch.cat([y, context], -1))
        return scores, scores.argmax(-1), h, weights


def export(folder, name, module, arguments, inputs, outputs, axes):
    torch.onnx.export(
        module.eval(),
        arguments,
        os.path.join(folder, f"proxy_{name}.onnx"),
        opset_version=13,
        dynamo=False,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=axes,
    )


def main(folder):
    torch.manual_seed(0)
    os.makedirs(folder, exist_ok=True)
    export(folder, "crnn", CRNN(), torch.randn(1, 1, 32, 100), ["input"], ["output"],
           {"input": {0: "batch", 3: "width"}})
    state = torch.zeros(2, 1, 32)
    export(folder, "rnnt_decoder_joint", Decoder(), (torch.randn(1, 40, 5), torch.tensor([[3, 4]]), state, state),
           ["encoder_outputs", "targets", "h", "c"], ["outputs", "h1", "c1"],
           {"encoder_outputs": {0: "batch", 2: "time"}, "targets": {0: "batch", 1: "target_length"}})
    export(folder, "pyannote_segmentation", PyanNet(), torch.randn(1, 1, 16000), ["input_values"], ["logits"],
           {"input_values": {0: "batch", 2: "samples"}})
    export(folder, "nsnet2", NSNet2(), torch.randn(1, 20, 161), ["input"], ["output"],
           {"input": {0: "batch", 1: "time"}})
    export(folder, "ge2e", GE2E(), torch.randn(1, 160, 40), ["mels"], ["embeds"],
           {"mels": {0: "batch", 1: "time"}})
    export(folder, "sign_language", SignLanguage(), torch.randn(1, 30, 159), ["landmarks"], ["scores"],
           {"landmarks": {0: "batch", 1: "time"}})
    export(folder, "text_packed", PackedText(), (torch.randint(1, 50, (2, 9)), torch.tensor([9, 6])),
           ["ids", "lengths"], ["scores"], {"ids": {0: "batch", 1: "time"}, "lengths": {0: "batch"}})
    export(folder, "attention_step", AttentionStep(),
           (torch.tensor([[3]]), torch.zeros(1, 1, 16), torch.randn(1, 7, 16)),
           ["token", "h", "encoded"], ["scores", "next", "h1", "weights"], {"encoded": {1: "source"}})


if __name__ == "__main__":
    main(sys.argv[1])
