"""The names of a training's checkpoints: MindSpore's ModelCheckpoint writes, our manager reads, and the other way round."""

import mindspore.dataset
from interop import *
from mindspore import nn
from mindspore.parallel.transform_safetensors import _find_most_matching_file
from mindspore.train import CheckpointConfig, Model, ModelCheckpoint
from mindspore.train.callback._checkpoint import CheckpointManager, _chg_ckpt_file_name_if_same_exist


class Manager(Case):
    def checkpoints(self, prefix):
        """Of our manager: (epoch, step, name) of each, in order, and of the latest that it restores."""
        lines = [line.split(" ", 2) for line in run(HELPER, "checkpoints", self.folder, prefix).splitlines()]
        found = [(int(epoch), int(step), os.path.basename(path)) for epoch, step, path in lines]
        return found[:-1], found[-1]

    def train(self, epochs):
        data = {"x": np.ones((24, 3), np.float32), "y": np.ones((24, 2), np.float32)}
        net = nn.Dense(3, 2)
        model = Model(net, nn.MSELoss(), nn.SGD(net.trainable_params(), 0.01))
        saved = ModelCheckpoint("net", str(self.folder), CheckpointConfig(save_checkpoint_steps=4, keep_checkpoint_max=3))
        model.train(epochs, mindspore.dataset.NumpySlicesDataset(data).batch(2), callbacks=[saved], dataset_sink_mode=False)
        return os.path.basename(saved.latest_ckpt_file_name)

    def test_theirs(self):
        latest = self.train(11)  # of 12 steps: 11_12 comes behind 9_12
        found, restored = self.checkpoints("net")
        self.assertEqual(found, [(11, 4, "net-11_4.ckpt"), (11, 8, "net-11_8.ckpt"), (11, 12, "net-11_12.ckpt")])
        self.assertEqual(restored, found[-1])
        self.assertEqual(restored[2], latest)
        self.assertEqual(self.train(1), "net_1-1_12.ckpt")  # the second run has another prefix
        self.assertEqual(self.checkpoints("net"), (found, restored))
        self.assertEqual(self.checkpoints("net_1")[1], (1, 12, "net_1-1_12.ckpt"))

    def test_ours(self):
        steps = [(1, 4), (2, 900), (10, 7), (10, 20)]
        run(HELPER, "manage", self.folder, "net", *(f"{epoch},{step}" for epoch, step in steps))
        theirs = CheckpointManager("ckpt")
        theirs.update_ckpoint_filelist(str(self.folder), "net")
        names = [f"net-{epoch}_{step}.ckpt" for epoch, step in steps]
        self.assertEqual(sorted(map(os.path.basename, theirs.ckpoint_filelist)), sorted(names))
        self.assertEqual(_chg_ckpt_file_name_if_same_exist(str(self.folder), "net"), "net_1")
        found, restored = self.checkpoints("net")
        self.assertEqual([name for _, _, name in found], names)
        self.assertEqual(restored[2], names[-1])
        self.assertEqual(os.path.basename(_find_most_matching_file(theirs.ckpoint_filelist, None, "ckpt")), names[-1])
        self.assertEqual(_find_most_matching_file(names, "2_900", "ckpt"), "net-2_900.ckpt")
        self.assertEqual(mindspore_load(self.path(names[-1])), {"w": Value("float32", (1,), np.float32(20).tobytes())})
