"""One tensor of 600 MiB, which MindSpore's ckpt format cuts at 512 MiB."""

from interop import *

SIZE = 600 << 20


def elements():
    """As large_element of helper.cpp: a block of prime length, again and again, so that no two chunks look alike."""
    block = ((np.arange(1000003) * 7 + 3) % 251).astype(np.uint8).view(np.int8)
    return np.resize(block, SIZE)


class Large(Case):
    def test_ours_to_the_references(self):
        wanted = elements()
        for name, load in (("large.ckpt", lambda path: ms.load_checkpoint(path)["large"].asnumpy()),
                           ("large.safetensors", lambda path: safetensors.numpy.load_file(path)["large"])):
            with self.subTest(name):
                path = self.path(name)
                run(HELPER, "large", path)
                found = load(path)
                self.assertEqual((found.dtype, found.shape), (np.int8, (SIZE,)))
                self.assertTrue(np.array_equal(found, wanted))
                del found
                if name == "large.ckpt":
                    theirs = self.path("theirs.ckpt")
                    ms.save_checkpoint([{"name": "large", "data": Tensor(wanted)}], theirs)
                    self.assertEqual(subprocess.run(["cmp", path, theirs]).returncode, 0)
                    os.remove(theirs)
                os.remove(path)

    def test_from_mindspore(self):
        for asynchronous in (False, "thread"):
            with self.subTest(asynchronous=asynchronous):
                path = self.path("large.ckpt")
                ms.save_checkpoint([{"name": "large", "data": Tensor(elements())}], path, async_save=asynchronous)
                serialization._wait_async_thread_save_ckpt()
                self.assertEqual(run(HELPER, "check_large", path), "2 pieces\n")
                os.remove(path)

    def test_from_safetensors(self):
        safetensors.numpy.save_file({"large": elements()}, self.path("large.safetensors"))
        self.assertEqual(run(HELPER, "check_large", self.path("large.safetensors")), "1 pieces\n")
