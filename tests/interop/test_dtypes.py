"""Every dtype, both ways, with any bits."""

import random

from interop import *

SHAPES = [(), (1,), (8,), (3, 4), (2, 1, 5, 2), (1000,)]


def empty_shapes(reads):
    return {} if not reads else {"rows": (0, 4), "columns": (4, 0)}


class Dtypes(Case):
    def values(self, dtype):
        chance = random.Random(dtype)
        shapes = [shape for shape in SHAPES if DTYPES[dtype][0] >= 8 or size_of(dtype, shape) * 8 == DTYPES[dtype][0] * count(shape)]
        return {f"{dtype}.{len(shape)}.{count(shape)}": random_value(chance, dtype, shape) for shape in shapes}

    def test_ckpt_to_mindspore(self):
        for dtype in MINDSPORE_READS:
            with self.subTest(dtype):
                values = self.values(dtype)
                values.update({name: Value(dtype, shape, b"") for name, shape in empty_shapes(True).items()})
                ours_save(values, self.path(f"{dtype}.ckpt"))
                self.assert_same(mindspore_load(self.path(f"{dtype}.ckpt")), values)

    def test_aligned_ckpt_to_mindspore(self):
        for dtype in MINDSPORE_READS:
            for align in (8, 64, 4096):
                with self.subTest(dtype, align=align):
                    values = self.values(dtype)
                    path = self.path(f"{dtype}{align}.ckpt")
                    ours_save(values, path, f"align={align}")
                    self.assert_same(mindspore_load(path), values)
                    self.assert_same(ours_load(path), values)
                    with open(path, "rb") as file:
                        content = file.read()
                    # 1000 elements are found in no other place by chance.
                    self.assertEqual(content.index(values[f"{dtype}.1.1000"].content) % align, 0)

    def test_ckpt_from_mindspore(self):
        for dtype in MINDSPORE_WRITES:
            with self.subTest(dtype):
                values = self.values(dtype)
                theirs, ours, again = (self.path(f"{dtype}.{name}.ckpt") for name in ("theirs", "ours", "again"))
                mindspore_save(list(values.items()), theirs)
                self.assert_same(ours_load(theirs), values)
                self.assert_same(ours_load(theirs, "copy"), values)
                ours_save(values, ours)
                self.assert_same_file(ours, theirs)
                ours_copy(theirs, again)
                self.assert_same_file(again, theirs)

    def test_safetensors_to_the_crate(self):
        for dtype in SAFETENSORS_READS:
            with self.subTest(dtype):
                values = self.values(dtype)
                values.update({name: Value(dtype, shape, b"") for name, shape in empty_shapes(True).items()})
                path = self.path(f"{dtype}.safetensors")
                ours_save(values, path)
                self.assert_same(safetensors_load(path), values, in_order=False)
                self.assertEqual(safetensors_metadata(path), {"format": "ms"})

    def test_safetensors_from_the_crate(self):
        for dtype in SAFETENSORS_WRITES:
            with self.subTest(dtype):
                values = self.values(dtype)
                values.update({name: Value(dtype, shape, b"") for name, shape in empty_shapes(True).items()})
                theirs, ours, again = (self.path(f"{dtype}.{name}.safetensors") for name in ("theirs", "ours", "again"))
                safetensors_save(values, theirs)
                self.assert_same(ours_load(theirs), values, in_order=False)
                self.assert_same(ours_load(theirs, "copy"), values, in_order=False)
                ours_save(values, ours)
                self.assert_same_file(ours, theirs)
                ours_copy(theirs, again)
                self.assert_same_file(again, theirs)

    def test_safetensors_to_mindspore(self):
        for dtype in MINDSPORE_SAFETENSORS + ["int4"]:
            with self.subTest(dtype):
                values = self.values(dtype)
                path = self.path(f"{dtype}.safetensors")
                ours_save(values, path)
                self.assert_same(mindspore_load(path), values, in_order=False)

    def test_safetensors_from_mindspore(self):
        for dtype in MINDSPORE_SAFETENSORS + ["int4", "complex64"]:
            with self.subTest(dtype):
                values = self.values(dtype)
                theirs, ours = self.path(f"{dtype}.theirs.safetensors"), self.path(f"{dtype}.ours.safetensors")
                mindspore_save(list(values.items()), theirs)
                self.assert_same(ours_load(theirs), values, in_order=False)
                if dtype != "int4":  # each tensor adds to the metadata, of which the crate's order is chance
                    ours_save(values, ours)
                    self.assert_same_file(ours, theirs)

    def test_what_a_format_does_not_hold_is_refused(self):
        for dtype in DTYPES:
            value = Value(dtype, (8,), bytes(size_of(dtype, (8,))))
            for suffix, holds in (("ckpt", DTYPES[dtype][1]), ("safetensors", DTYPES[dtype][2] or dtype == "int4")):
                if not holds:
                    with self.subTest(dtype, format=suffix):
                        self.assertRaises(RuntimeError, ours_save, {"w": value}, self.path(f"{dtype}.{suffix}"))

    def test_converted(self):
        for dtype in MINDSPORE_SAFETENSORS:
            with self.subTest(dtype):
                values = self.values(dtype)
                one, other, back = self.path("one.ckpt"), self.path("other.safetensors"), self.path("back.ckpt")
                mindspore_save(list(values.items()), one)
                run(TOOL, "convert", one, other)
                self.assert_same(safetensors_load(other), values, in_order=False)
                run(TOOL, "convert", other, back)
                self.assert_same(mindspore_load(back), values, in_order=False)
                for path in (one, other, back):
                    os.remove(path)


def count(shape):
    product = 1
    for extent in shape:
        product *= extent
    return product
