import struct
import zlib

import command
import files


class Verify(command.Case):
    def test_ok(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assertEqual(self.ckpt("verify", "net.ckpt"), "ok: ckpt, 6 tensors, 1 string, 72 B\n")

    def test_checksum_that_is_required(self):
        first = files.ckpt_entry("a", "Int8", [3], b"xyz")
        whole = first + files.ckpt_entry("b", "Int8", [1], b"x")
        self.write("net.ckpt", whole + b"crc_num" + zlib.crc32(whole).to_bytes(10, "big"))
        self.assertEqual(self.ckpt("verify", "--require-crc", "net.ckpt"), "ok: ckpt, 2 tensors, 4 B, CRC-32 verified\n")
        self.write("net.ckpt", first)  # what is left of it is a file
        self.assertEqual(self.ckpt("verify", "net.ckpt"), "ok: ckpt, 1 tensor, 3 B\n")
        self.assert_fails(["verify", "net.ckpt", "--require-crc"], 1, "net.ckpt: it has no CRC-32, which --require-crc asks for")
        self.write("net.safetensors", files.safetensors([("a", "U8", [1], b"x")]))
        self.assert_fails(["verify", "net.safetensors", "--require-crc"], 1, "net.safetensors: it has no CRC-32, which --require-crc asks for")
        self.ckpt("convert", "--crc", "net.safetensors", "net.safetensors")
        self.assertEqual(self.ckpt("verify", "--require-crc", "net.safetensors"), "ok: safetensors, 1 tensor, 1 B, CRC-32 verified\n")

    def test_cut_short_at_every_byte(self):
        content = files.ckpt_entry("a", "Int8", [3], b"xyz")
        for size in range(1, len(content)):
            self.write("cut.ckpt", content[:size])
            run = self.run_ckpt("verify", "cut.ckpt")
            self.assertEqual((run.returncode, run.stdout), (1, b""), size)
            self.assertRegex(run.stderr.decode(), r"\Ackpt: cut\.ckpt: .*, at byte \d+\n\Z")

    def test_bad_bool_and_its_byte(self):
        content = files.ckpt_entry("first", "Bool", [2], b"\1\0") + files.ckpt_entry("mask", "Bool", [4], b"\0\1\2\0")
        self.write("net.ckpt", content)
        self.assert_fails(["verify", "net.ckpt"], 1, f'net.ckpt: tensor "mask": a bool is 2, neither 0 nor 1, at byte {len(content) - 2}')

    def test_bad_bool_beyond_the_first_buffer(self):
        size = 9 << 20
        for place in (0, 5 << 20, size - 1):
            bools = bytearray(size)
            bools[place] = 255
            content = files.safetensors([("front", "U8", [3], b"\7\7\7"), ("mask", "BOOL", [size], bytes(bools)), ("back", "U8", [1], b"\7")])
            self.write("net.safetensors", content)
            where = len(content) - 1 - size + place
            self.assert_fails(["verify", "net.safetensors"], 1, f'net.safetensors: tensor "mask": a bool is 255, neither 0 nor 1, at byte {where}')

    def test_bools_in_chunks(self):
        # Two chunks of one tensor; nothing but the second one is wrong.
        content = files.ckpt_entry("mask", "Bool", [4], b"\0\1") + files.ckpt_entry("mask", "Bool", [4], b"\0\3")
        self.write("net.ckpt", content)
        self.assert_fails(["verify", "net.ckpt"], 1, f'net.ckpt: tensor "mask": a bool is 3, neither 0 nor 1, at byte {len(content) - 1}')

    def test_map_whose_slice_is_damaged(self):
        good = files.ckpt_map("table", [1, 2])
        bad = good.replace(b"\x08\x02\x08\x01", b"\x08\x02\x08\x03")  # the shape of the values
        self.write("net.ckpt", files.NET_CKPT + good)
        self.assertIn("1 map", self.ckpt("verify", "net.ckpt"))
        self.write("net.ckpt", files.NET_CKPT + bad)
        where = len(files.NET_CKPT) + bad.index(b"float32") + len(b"float32") + 2
        self.assert_fails(["verify", "net.ckpt"], 1, f'net.ckpt: map "table": float32[2,3] takes 24 bytes, its content has 8, at byte {where}')

    def test_checksum_of_a_ckpt_file(self):
        trailer = b"crc_num" + zlib.crc32(files.NET_CKPT).to_bytes(10, "big")
        self.write("net.ckpt", files.NET_CKPT + trailer)
        self.assertEqual(self.ckpt("verify", "net.ckpt"), "ok: ckpt, 6 tensors, 1 string, 72 B, CRC-32 verified\n")
        bad = bytearray(files.NET_CKPT)
        bad[bad.index(files.floats(0, 1, 2, 3, 4, 5)) + 9] ^= 16
        self.write("net.ckpt", bytes(bad) + trailer)
        found, stored = zlib.crc32(bad), zlib.crc32(files.NET_CKPT)
        self.assert_fails(["verify", "net.ckpt"], 1,
                          f"net.ckpt: the content is not what was written: its crc32 is 0x{found:08x}, the file says 0x{stored:08x}")

    def test_checksum_of_a_safetensors_file(self):
        large = bytes(range(251)) * 40000  # more than two buffers
        tensors = [("z", "U8", [len(large)], large), ("a", "F32", [2], b"abcdefgh"), ("epoch", "I64", [], struct.pack("<q", 3))]
        for content in (large, large[:-1] + b"?"):
            # MindSpore counts an integer without axes as that many zero bytes.
            number = zlib.crc32(b"aabcdefgh" + b"epoch" + bytes(3) + b"z" + content)
            self.write("net.safetensors", files.safetensors(tensors, {"format": "ms", "crc_num": str(number)}))
            if content is large:
                good = number
                self.assertEqual(self.ckpt("verify", "net.safetensors"), "ok: safetensors, 3 tensors, 9.6 MiB (10,040,016 bytes), CRC-32 verified\n")
            else:
                self.assert_fails(["verify", "net.safetensors"], 1, "net.safetensors: the content is not what was written: "
                                  f"its crc32 is 0x{good:08x}, the file says 0x{number:08x}")
        self.write("net.safetensors", files.safetensors(tensors, {"crc_num": "twelve"}))
        self.assert_fails(["verify", "net.safetensors"], 1,
                          'net.safetensors: the checksum in its metadata, "crc_num", is no number: "twelve"')
