"""Encrypted files of any number of blocks, both ways, with every cipher and every length of its key."""

import random

from interop import *

OURS = (2 << 20) - 48  # plain bytes of a block, of files of up to 512 MiB
OURS_OF_LARGE = (3 << 20) - 48
LARGE = 513 << 20
THEIRS = 64 << 20
KEYS = {"AES-GCM": (16, 24, 32), "AES-CBC": (16, 24, 32), "SM4-CBC": (16,)}
WRONG_KEY = "{}: the key is not the one that the file was encrypted with"
EMPTY = "The loaded parameter dict is empty"  # what MindSpore says when it has read a file of no parameters

CASES = [(mode, size) for mode, sizes in KEYS.items() for size in sizes]


def key_of(mode, size):
    return random.Random(f"{mode} {size}").randbytes(size)


def ours_with(mode, key):
    return f"cipher={mode}", f"key={key.hex()}"


def unsealed(mode, path):
    said = (f"{path}: the file is not sealed: nothing shows that its blocks are all there and in place. MindSpore's own files are such"
            if mode == "AES-GCM" else
            f"{WRONG_KEY.format(path)}, or its blocks are not all there, in place and as they were written, or it is not sealed. "
            "MindSpore's own files are not")
    return said + "; where you trust it, load it with .allow_unsealed = true"


def mindspore_with(mode, key, do="dec"):
    return {f"{do}_key": key, f"{do}_mode": mode}


class Encryption(Case):
    # Elements of every byte, which no shift leaves as they were; each test takes the first of them.
    elements = np.resize(np.random.default_rng(1).integers(0, 256, 1000003, np.uint8), LARGE).tobytes()

    def entries_of(self, plain_size):
        """One tensor that makes a file of so many plain bytes. What stands around it is a few bytes more where it is longer."""
        path, size = self.path("plain.ckpt"), plain_size - 64
        for _ in range(2):
            entries = {"w": Value("uint8", (size,), self.elements[:size])}
            ours_save(entries, path)
            size += plain_size - os.path.getsize(path)
        self.assertEqual(os.path.getsize(path), plain_size)
        os.remove(path)
        return entries

    def sizes(self, block):
        return [blocks * block + edge for blocks in (1, 2) for edge in (-1, 0, 1)] + [3 * block]

    def small(self):
        chance = random.Random(1)
        entries = {dtype: random_value(chance, dtype, (3, 5)) for dtype in MINDSPORE_SAFETENSORS}
        return entries | {"": random_value(chance, "bool", (1,)), "día/重み": random_value(chance, "bfloat16", (7,))}

    def assert_file_size(self, path, mode, plain_size):
        """The blocks of the plain bytes, and that of the seal."""
        header = 48 if mode == "AES-GCM" else 32
        block = OURS if plain_size < LARGE else OURS_OF_LARGE
        sizes = [min(block, plain_size - begin) for begin in range(0, plain_size, block)]
        padded = sizes if mode == "AES-GCM" else [size // 16 * 16 + 16 for size in sizes]
        found, at = [], 0
        with open(path, "rb") as file:
            while at < os.path.getsize(path):
                file.seek(at + header - 4)
                found.append(int.from_bytes(file.read(4), "little"))
                at += header + found[-1]
        self.assertEqual(found[:-1], padded)
        self.assertEqual(at, os.path.getsize(path))
        self.assertLess(found[-1], 4096)

    def test_small_files(self):
        for mode, size in CASES:
            with self.subTest(mode, key=size):
                key, path = key_of(mode, size), self.path(f"{mode}{size}.ckpt")
                ours_save(self.small(), path, *ours_with(mode, key))
                self.assert_same(mindspore_load(path, **mindspore_with(mode, key)), self.small())
                for options in ((), ("copy",)):
                    self.assert_same(ours_load(path, *ours_with(mode, key), *options), self.small())
                other = bytes(size)
                with self.assertRaises(ValueError):
                    mindspore_load(path, **mindspore_with(mode, other))

    def test_files_of_no_block(self):
        for mode, size in CASES:
            with self.subTest(mode, key=size):
                key, path = key_of(mode, size), self.path(f"{mode}{size}.ckpt")
                ours_save({}, path, *ours_with(mode, key))
                self.assert_file_size(path, mode, 0)
                self.assertEqual(ours_load(path, *ours_with(mode, key)), {})
                # As it says of a plain file of no parameters: it has read that there are none.
                with self.assertRaisesRegex(ValueError, EMPTY):
                    mindspore_load(path, **mindspore_with(mode, key))
                # MindSpore's own is a file of no bytes, which is not encrypted.
                theirs = self.path(f"{mode}{size}.theirs.ckpt")
                mindspore_save([], theirs, **mindspore_with(mode, key, "enc"))
                self.assertEqual(os.path.getsize(theirs), 0)
                with self.assertRaises(RuntimeError) as raised:
                    ours_load(theirs, *ours_with(mode, key), "allow_unsealed")
                self.assertEqual(str(raised.exception), f"{theirs}: the file is not encrypted: load it without a cipher and a key")

    def test_large_files_to_mindspore(self):
        for mode, size in CASES:
            large = [LARGE] if size == 16 and mode != "SM4-CBC" else []  # of SM4-CBC, MindSpore decrypts 40 MB a second
            for plain_size in self.sizes(OURS) + large:
                with self.subTest(mode, key=size, plain_size=plain_size):
                    key, path = key_of(mode, size), self.path("large.ckpt")
                    entries = self.entries_of(plain_size)
                    ours_save(entries, path, *ours_with(mode, key))
                    self.assert_file_size(path, mode, plain_size)
                    self.assert_same(mindspore_load(path, **mindspore_with(mode, key)), entries)
                    os.remove(path)

    def test_large_files_from_mindspore(self):
        for mode, size in CASES:
            # One length of the key with all edges: the blocks do not depend on it.
            sizes = self.sizes(THEIRS) if size == 16 and mode != "SM4-CBC" else [THEIRS + 1]
            for plain_size in sizes:
                with self.subTest(mode, key=size, plain_size=plain_size):
                    key, path = key_of(mode, size), self.path("large.ckpt")
                    entries = self.entries_of(plain_size)
                    mindspore_save(list(entries.items()), path, **mindspore_with(mode, key, "enc"))
                    with self.assertRaises(RuntimeError) as raised:
                        ours_load(path, *ours_with(mode, key))
                    self.assertEqual(str(raised.exception), unsealed(mode, path))
                    self.assert_same(ours_load(path, *ours_with(mode, key), "allow_unsealed"), entries)
                    os.remove(path)

    def test_small_files_from_mindspore(self):
        for mode, size in CASES:
            with self.subTest(mode, key=size):
                key, path = key_of(mode, size), self.path(f"{mode}{size}.ckpt")
                mindspore_save(list(self.small().items()), path, **mindspore_with(mode, key, "enc"))
                for options in ((), ("copy",)):
                    with self.assertRaises(RuntimeError) as raised:
                        ours_load(path, *ours_with(mode, key), *options)
                    self.assertEqual(str(raised.exception), unsealed(mode, path))
                    self.assert_same(ours_load(path, *ours_with(mode, key), "allow_unsealed", *options), self.small())
                with self.assertRaises(RuntimeError) as raised:
                    ours_load(path, *ours_with(mode, bytes(size)), "allow_unsealed")
                self.assertIn(WRONG_KEY.format(path), str(raised.exception))

    def test_rekey_of_a_file_that_has_a_checksum_too(self):
        """MindSpore reads it, and would not read a seal behind the checksum: `ckpt rekey` leaves the checksum out."""
        key, plain, path, other = key_of("AES-GCM", 16), self.path("plain.ckpt"), self.path("both.ckpt"), self.path("other.ckpt")
        mindspore_save(list(self.small().items()), plain, crc_check=True)
        with open(plain, "rb") as file:
            content = file.read()
        for damaged in (False, True):
            if damaged:
                content = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
            with open(path, "wb") as file:
                file.write(ms._c_expression._encrypt(content, len(content), key, len(key), "AES-GCM"))
            run_tool = [TOOL, "rekey", path, other, "--allow-unsealed", "--key-env", "CKPT_TEST_KEY", "--out-key-env", "CKPT_TEST_KEY"]
            done = subprocess.run(run_tool, capture_output=True, text=True, env={**os.environ, "CKPT_TEST_KEY": key.hex()})
            if damaged:
                self.assertEqual(done.returncode, 1)
                self.assertIn("the content is not what was written: its crc32 is ", done.stderr)
                continue
            self.assertEqual(done.stdout, f"wrote {other}: encrypted with AES-GCM and sealed, without its checksum\n")
            self.assert_same(mindspore_load(other, **mindspore_with("AES-GCM", key)), self.small())
            self.assert_same(ours_load(other, *ours_with("AES-GCM", key)), self.small())
            os.remove(other)

    def test_passphrase(self):
        for mode in KEYS:
            with self.subTest(mode):
                path, ours = self.path(f"{mode}.ckpt"), (f"cipher={mode}", "passphrase=correct horse")
                ours_save(self.small(), path, *ours)
                self.assert_same(ours_load(path, *ours), self.small())
                key = bytes.fromhex(run(HELPER, "derived_key", path, *ours))
                self.assertEqual(len(key), KEYS[mode][-1])
                self.assert_same(mindspore_load(path, **mindspore_with(mode, key)), self.small())
                # The key belongs to this file: another of the same passphrase has another.
                other = self.path(f"{mode}.other.ckpt")
                ours_save(self.small(), other, *ours)
                self.assertNotEqual(bytes.fromhex(run(HELPER, "derived_key", other, *ours)), key)
