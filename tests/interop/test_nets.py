"""Real networks: saved by MindSpore, loaded and saved by ours, loaded into the network again, which then computes the same."""

from interop import *
from mindspore import nn
from nets import LeNet5, ResNet18


def parameters(cell):
    return {parameter.name: of_mindspore(parameter) for parameter in cell.get_parameters()}


class Nets(Case):
    def through_ours(self, make, image):
        ms.set_seed(1)
        net = make()
        theirs, again, safe, back = (self.path(name) for name in ("theirs.ckpt", "again.ckpt", "net.safetensors", "back.ckpt"))
        ms.save_checkpoint(net, theirs, append_dict={"epoch": 3, "rate": 0.1, "note": "día"})
        saved = parameters(net)
        appended = {"epoch": Value("int64", (), (3).to_bytes(8, "little")), "rate": Value("float32", (), np.float32(0.1).tobytes()), "note": "día"}
        self.assert_same(ours_load(theirs), {**saved, **appended})
        ours_copy(theirs, again)
        self.assert_same_file(again, theirs)
        ours_fill(theirs, self.path("filled.ckpt"))
        self.assert_same_file(self.path("filled.ckpt"), theirs)
        ours_save(saved, self.path("from_parameters.ckpt"), append={"epoch": 3, "rate": 0.1, "note": "día"})
        self.assert_same_file(self.path("from_parameters.ckpt"), theirs)

        run(TOOL, "convert", theirs, safe)
        run(TOOL, "convert", safe, back)
        aligned = self.path("aligned.ckpt")
        ours_copy(theirs, aligned, "align=64")
        for path in (again, safe, back, aligned):
            with self.subTest(path=os.path.basename(path)):
                ms.set_seed(2)
                other = make()
                self.assertNotEqual(parameters(other), saved)
                loaded = ms.load_checkpoint(path, format=path.rpartition(".")[2])
                not_loaded, _ = ms.load_param_into_net(other, {k: v for k, v in loaded.items() if k in saved}, strict_load=True)
                self.assertEqual(not_loaded, [])
                self.assert_same(parameters(other), saved)
                if image is not None:
                    wanted, found = net.set_train(False)(image), other.set_train(False)(image)
                    self.assertTrue(np.array_equal(wanted.asnumpy(), found.asnumpy()))
        return saved

    def test_lenet5(self):
        saved = self.through_ours(LeNet5, Tensor(np.linspace(0, 1, 1024, dtype=np.float32).reshape(1, 1, 32, 32)))
        self.assertEqual(sum(len(value.content) for value in saved.values()), 4 * 61684)  # without biases of the convolutions

    def test_resnet18(self):
        saved = self.through_ours(ResNet18, Tensor(np.linspace(0, 1, 3 * 64 * 64, dtype=np.float32).reshape(1, 3, 64, 64)))
        self.assertEqual(len(saved), 102)

    def test_training_state(self):
        """A network with its optimizer: moments, learning rate and step among the parameters."""

        def make():
            net = LeNet5()
            optimizer = nn.Adam(net.trainable_params(), learning_rate=0.01)
            return nn.TrainOneStepCell(nn.WithLossCell(net, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")), optimizer)

        saved = self.through_ours(make, None)
        self.assertTrue(any(name.startswith("moment1.") for name in saved))

    def test_trained(self):
        """A step of training in between: what a user really saves."""
        net = LeNet5()
        optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
        loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
        step = ms.value_and_grad(lambda x, y: loss(net(x), y), None, optimizer.parameters)
        image, label = Tensor(np.ones((2, 1, 32, 32), np.float32)), Tensor(np.array([1, 2], np.int32))
        before = parameters(net)
        for _ in range(2):
            optimizer(step(image, label)[1])
        self.assertNotEqual(parameters(net), before)
        theirs, ours = self.path("theirs.ckpt"), self.path("ours.ckpt")
        ms.save_checkpoint(net, theirs)
        self.assert_same(ours_load(theirs), parameters(net))
        ours_copy(theirs, ours)
        self.assert_same_file(ours, theirs)
