"""Names, strings, appended values, empty tensors, names given twice, and random checkpoints of all of them."""

import random

from interop import *

NAMES = ["", "a", " blanks ", "a.b/c", "día", "重み", "😀", "quote\"back\\slash", "line\nfeed", "\x00\x01", "x" * 127, "x" * 128, "é" * 1024]
TEXTS = ["", "text", "día", "重み", "a😀b", "a\0b", "\0a", " blanks ", "line\nfeed\t\"\\", "x" * 127, "é" * 5000, "\U0010ffff\ufffe\ue000"]
NUMBERS = [0, 1, -1, 127, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1]
FLOATS = [0.0, -0.0, 0.1, 1e300, -1e-300, 1e-45, float("inf"), float("-inf"), 16777217.0, 3.4028235677973366e38]


def value(number, dtype="int16", shape=(2,)):
    return random_value(random.Random(number), dtype, shape)


class Values(Case):
    def both(self, entries, append=None):
        """Saved by ours and by MindSpore from the same: the same bytes, which both load as the same; returned as MindSpore loads it."""
        ours, theirs = self.path("ours.ckpt"), self.path("theirs.ckpt")
        ours_save(entries, ours, append=append)
        mindspore_save(entries, theirs, append_dict=append)
        self.assert_same_file(ours, theirs)
        loaded = mindspore_load(ours)
        self.assert_same(ours_load(theirs), loaded)
        self.assert_same(ours_load(theirs, "copy"), loaded)
        for path in (ours, theirs):
            os.remove(path)
        return loaded

    def test_names(self):
        for name in NAMES:
            with self.subTest(name[:20], length=len(name)):
                self.assert_same(self.both({name: value(1)}), {name: value(1)})

    def test_names_that_mindspore_cannot_load_are_refused(self):
        for name in ["x" * 1025, "é" * 1025]:
            mindspore_save([(name, value(1))], self.path("long.ckpt"))
            self.assertRaises(ValueError, ms.load_checkpoint, self.path("long.ckpt"))
            self.assert_same(ours_load(self.path("long.ckpt")), {name: value(1)})
            with self.assertRaises(RuntimeError) as raised:
                ours_save({name: value(1)}, self.path("refused.ckpt"))
            self.assertIn("1024", str(raised.exception))

    def test_strings(self):
        for text in TEXTS:
            with self.subTest(text[:20], length=len(text)):
                self.assert_same(self.both({"note": text, "w": value(1)}), {"note": text, "w": value(1)})
                self.assert_same(self.both({"w": value(1)}, {"note": text}), {"w": value(1), "note": text})

    def test_trailing_zeros_of_a_string_are_lost(self):
        self.assert_same(self.both({"note": "ab\0\0"}), {"note": "ab"})

    def test_appended(self):
        appended = {f"i{i}": number for i, number in enumerate(NUMBERS)}
        appended.update({f"f{i}": number for i, number in enumerate(FLOATS)})
        appended.update({"yes": True, "no": False, "note": "día"})
        loaded = self.both({"w": value(1)}, appended)
        self.assertEqual(list(loaded), ["w", *appended])
        for i, number in enumerate(NUMBERS):
            dtype = "uint64" if number >= 2**63 else "int64"
            self.assertEqual(loaded[f"i{i}"], Value(dtype, (), (number % 2**64).to_bytes(8, "little")))
        for i, number in enumerate(FLOATS):
            self.assertEqual(loaded[f"f{i}"], Value("float32", (), np.array(number).astype(np.float32).tobytes()))
        self.assertEqual(loaded["yes"], Value("bool", (), b"\1"))

    def test_names_given_twice(self):
        given = [("a", value(1)), ("b", value(2)), ("a", value(3, "float32", (2, 1))), ("c", value(4))]
        ours, theirs = self.path("ours.ckpt"), self.path("theirs.ckpt")
        ours_save(given, ours, "keep_last", append={"b": 7, "c": "text"})
        mindspore_save(given, theirs, append_dict={"b": 7, "c": "text"})
        self.assert_same_file(ours, theirs)
        with self.assertRaises(RuntimeError) as raised:
            ours_save(given, self.path("refused.ckpt"))
        self.assertIn('"a"', str(raised.exception))

    def test_empty_tensors(self):
        empty = {"rows": Value("float32", (0, 3), b""), "columns": Value("int64", (3, 0, 2), b""), "w": value(1)}
        ours, theirs = self.path("ours.ckpt"), self.path("theirs.ckpt")
        ours_save(empty, ours)
        mindspore_save(list(empty.items()), theirs, async_save="thread")
        self.assert_same_file(ours, theirs)
        self.assert_same(mindspore_load(ours), empty)
        self.assert_same(ours_load(theirs), empty)

    def test_content_that_ends_as_a_checksum_does(self):
        """MindSpore takes the last 17 bytes of a file for a CRC trailer where they begin with crc_num."""
        for dtype, shape in (("uint8", (17,)), ("int8", (40,)), ("bool", ())):
            content = os.urandom(size_of(dtype, shape) - 17) + b"crc_num0123456789" if dtype != "bool" else b"\1"
            for align in (0, 64):
                with self.subTest(dtype, align=align):
                    entries = {"w": value(1), "tail": Value(dtype, shape, content)}
                    ours_save(entries, self.path("tail.ckpt"), f"align={align}")
                    self.assert_same(mindspore_load(self.path("tail.ckpt")), entries)
                    self.assert_same(ours_load(self.path("tail.ckpt")), entries)
                    os.remove(self.path("tail.ckpt"))

    def test_saved_by_a_thread(self):
        entries = {f"{dtype}.{i}": value(i, dtype, (i, 2)) for i, dtype in enumerate(MINDSPORE_SAFETENSORS, 1)}
        ours, theirs = self.path("ours.ckpt"), self.path("theirs.ckpt")
        ours_save(entries, ours)
        mindspore_save(list(entries.items()), theirs, async_save="thread")
        self.assert_same_file(ours, theirs)

    def test_strings_in_safetensors_are_metadata(self):
        path = self.path("note.safetensors")
        ours_save({"w": value(1)}, path, append={"note": "día\n\"", "empty": ""})
        self.assert_same(safetensors_load(path), {"w": value(1)})
        self.assertEqual(safetensors_metadata(path), {"format": "ms", "note": "día\n\"", "empty": ""})
        self.assert_same(mindspore_load(path), {"w": value(1)})

    def test_a_pair_of_the_metadata_is_a_tensors_type_to_mindspore(self):
        for name, metadata in [("format", {"format": "ms"}), ("w", {"format": "ms", "w": "a remark"})]:
            with self.subTest(name):
                path = self.path("pair.safetensors")
                safetensors.numpy.save_file({name: np.zeros(2, np.float32)}, path, metadata)
                self.assertRaises(KeyError, ms.load_checkpoint, path, format="safetensors")
                with self.assertRaises(RuntimeError) as raised:
                    run(TOOL, "convert", path, self.path("again.safetensors"))
                self.assertIn("which MindSpore would take for the tensor's type", str(raised.exception))

    def test_random_checkpoints(self):
        for seed in range(150):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                entries = {}
                for _ in range(chance.randrange(1, 12)):
                    name = "".join(chance.choice("abc.é重😀\"\\ \n") for _ in range(chance.randrange(12)))
                    if chance.random() < 0.2:
                        entries[name] = "".join(chance.choice("ab\0 é重😀\n") for _ in range(chance.randrange(9))).rstrip("\0")
                    else:
                        shape = [chance.randrange(1, 6) for _ in range(chance.randrange(5))]
                        entries[name] = random_value(chance, chance.choice(MINDSPORE_READS), shape)
                append = {f"{i}": chance.choice([chance.randrange(-(2**63), 2**64), chance.uniform(-1e9, 1e9), "é", True])
                          for i in range(chance.randrange(3))}
                loaded = self.both(entries, append)
                self.assert_same({name: loaded[name] for name in entries}, entries)

    def test_random_safetensors(self):
        for seed in range(150):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                entries = {}
                for _ in range(chance.randrange(12)):
                    name = "".join(chance.choice("abc.é重😀\"\\ \n\0\x1f") for _ in range(chance.randrange(12)))
                    dtype = chance.choice(SAFETENSORS_WRITES)
                    shape = [chance.randrange(6) for _ in range(chance.randrange(4))]
                    if dtype == "float4_e2m1":
                        shape.append(2 * chance.randrange(4))
                    entries[name] = random_value(chance, dtype, shape)
                ours, theirs, again = (self.path(f"{seed}.{name}.safetensors") for name in ("ours", "theirs", "again"))
                ours_save(entries, ours)
                if not entries:
                    safetensors.serialize_file({}, theirs)
                else:
                    safetensors_save(entries, theirs)
                self.assert_same_file(ours, theirs)
                self.assert_same(ours_load(theirs), safetensors_load(theirs))
                ours_copy(theirs, again)
                self.assert_same_file(again, theirs)
