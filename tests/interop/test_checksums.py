"""CRC-32 in both formats: each side verifies what the other one writes, and refuses it with a bit flipped."""

import random

from interop import *


def flipped(path, to, byte, bit=0):
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[byte] ^= 1 << bit
    with open(to, "wb") as file:
        file.write(content)
    return to


def content_places(path, entries):
    """Where in the file the tensors' bytes lie."""
    with open(path, "rb") as file:
        content = file.read()
    return [content.index(value.content) for value in entries.values()]


class Checksums(Case):
    def entries(self, kind, seed=1, count=5):
        """Names of other scripts, and an order that is not that of the dtypes."""
        chance = random.Random(seed)
        dtypes = MINDSPORE_SAFETENSORS if kind == "safetensors" else MINDSPORE_READS
        names = chance.sample(["a", "b.c", "é", "重み", "😀", "z", "B", "a.10", "a.9"], count)
        return {name: random_value(chance, chance.choice(dtypes), [chance.randrange(16, 40)]) for name in names}

    def assert_refused(self, path):
        with self.assertRaises(ValueError) as raised:
            mindspore_load(path, crc_check=True)
        self.assertIn("crc check", str(raised.exception) + str(raised.exception.__cause__))
        with self.assertRaises(RuntimeError) as raised:
            ours_verify(path)
        self.assertIn("the content is not what was written: its crc32 is 0x", str(raised.exception))
        mindspore_load(path)
        ours_load(path)

    def test_each_verifies_the_others(self):
        for kind in ("ckpt", "safetensors"):
            for seed in range(20):
                with self.subTest(kind, seed=seed):
                    entries = self.entries(kind, seed, 1 + seed % 9)
                    ours, theirs = self.path(f"ours{seed}.{kind}"), self.path(f"theirs{seed}.{kind}")
                    ours_save(entries, ours, "crc")
                    mindspore_save(entries, theirs, crc_check=True)
                    self.assert_same(mindspore_load(ours, crc_check=True), entries, in_order=kind == "ckpt")
                    self.assert_same(ours_load(ours), entries, in_order=kind == "ckpt")
                    ours_verify(ours)
                    ours_verify(theirs)
                    if kind == "ckpt":
                        self.assert_same_file(ours, theirs)
                    else:
                        self.assertEqual(safetensors_metadata(ours), safetensors_metadata(theirs))
                        self.assert_same(safetensors_load(ours), entries, in_order=False)

    def test_a_flipped_bit_is_refused_by_both(self):
        for kind in ("ckpt", "safetensors"):
            entries = self.entries(kind)
            ours, theirs = self.path(f"ours.{kind}"), self.path(f"theirs.{kind}")
            ours_save(entries, ours, "crc")
            mindspore_save(entries, theirs, crc_check=True)
            for path in (ours, theirs):
                for number, place in enumerate(content_places(path, entries)):
                    with self.subTest(kind, path=os.path.basename(path), tensor=number):
                        self.assert_refused(flipped(path, self.path(f"bad{number}.{kind}"), place + number, 0))

    def test_small_numbers_leave_blanks(self):
        """Content whose CRC-32 has few digits: of 8 bytes, the first 4 are free and the last 4 are solved for."""
        for wanted in (0, 7, 42, 999, 1234, 56789, 123456, 7654321, 12345678, 987654321, 4294967295):
            with self.subTest(wanted=wanted):
                content = solve(b"w" + b"free", wanted)[1:]
                path = self.path(f"{wanted}.safetensors")
                ours_save({"w": Value("uint8", (8,), content)}, path, "crc")
                self.assertEqual(safetensors_metadata(path), {"format": "ms", "crc_num": str(wanted)})
                self.assert_same(mindspore_load(path, crc_check=True), {"w": Value("uint8", (8,), content)})
                self.assert_same(safetensors_load(path), {"w": Value("uint8", (8,), content)})
                ours_verify(path)

    def test_integers_without_axes(self):
        """MindSpore counts such a number as that many zero bytes in a safetensors file."""
        for kind in ("ckpt", "safetensors"):
            for dtype, number in (("int64", 3), ("uint8", 200), ("int32", 0), ("int8", 1), ("uint64", 70000)):
                with self.subTest(kind, dtype=dtype, number=number):
                    entries = {"w": random_value(random.Random(1), "float32", [3]),
                               "n": Value(dtype, (), number.to_bytes(size_of(dtype, ()), "little"))}
                    ours, theirs = self.path(f"ours_{dtype}.{kind}"), self.path(f"theirs_{dtype}.{kind}")
                    ours_save(entries, ours, "crc")
                    mindspore_save(entries, theirs, crc_check=True)
                    self.assert_same(mindspore_load(ours, crc_check=True), entries, in_order=False)
                    ours_verify(ours)
                    ours_verify(theirs)

    def test_strings_and_appended_values(self):
        entries = {"w": random_value(random.Random(1), "float32", [3])}
        append = {"epoch": 3, "lr": 0.5, "best": True, "note": "día"}
        ours, theirs = self.path("ours.ckpt"), self.path("theirs.ckpt")
        ours_save(entries, ours, "crc", append=append)
        mindspore_save(entries, theirs, append_dict=append, crc_check=True)
        self.assert_same_file(ours, theirs)
        self.assertEqual(list(mindspore_load(ours, crc_check=True)), ["w", *append])
        ours_save(entries, self.path("ours.safetensors"), "crc", append=append)
        self.assertIn("epoch", mindspore_load(self.path("ours.safetensors"), crc_check=True))

    def test_content_that_ends_as_a_checksum_does(self):
        entries = {"w": Value("uint8", (17,), b"crc_num0123456789")}
        ours, theirs = self.path("ours.ckpt"), self.path("theirs.ckpt")
        ours_save(entries, ours, "crc")
        mindspore_save(entries, theirs, crc_check=True)
        self.assert_same_file(ours, theirs)
        self.assert_same(mindspore_load(ours, crc_check=True), entries)
        self.assert_same(ours_load(ours), entries)
        ours_verify(ours)

    def test_the_command(self):
        for kind in ("ckpt", "safetensors"):
            with self.subTest(kind):
                entries = self.entries(kind)
                mindspore_save(entries, self.path(f"theirs.{kind}"), crc_check=True)
                self.assertIn("CRC-32 verified", run(TOOL, "verify", self.path(f"theirs.{kind}")))
                run(TOOL, "convert", "--crc", self.path(f"theirs.{kind}"), self.path(f"ours.{kind}"))
                self.assert_same(mindspore_load(self.path(f"ours.{kind}"), crc_check=True), entries, in_order=False)


def solve(content, wanted):
    """`content` and 4 bytes more, so that the CRC-32 is `wanted`."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
        table.append(byte)
    state = wanted ^ 0xFFFFFFFF
    for _ in range(4):  # backwards over four bytes of zero
        at = next(i for i in range(256) if table[i] >> 24 == state >> 24)
        state = (state ^ table[at]) << 8 & 0xFFFFFFFF | at
    now = 0xFFFFFFFF
    for byte in content:
        now = now >> 8 ^ table[(now ^ byte) & 0xFF]
    return content + (now ^ state).to_bytes(4, "little")
