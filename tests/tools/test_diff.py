import struct

import command
import files

EQUAL = "equal: {}\n"


class Diff(command.Case):
    def diff(self, a: bytes, b: bytes) -> list[str]:
        """The lines of a comparison that finds differences."""
        self.write("a", a)
        self.write("b", b)
        return self.ckpt("diff", "a", "b", code=1).splitlines()

    def values(self, kind: str, format: str, a: list, b: list) -> str:
        """What is said of one tensor with these values."""
        pack = lambda values: struct.pack(f"<{len(values)}{format}", *values)
        shape = [len(a) // (2 if kind.startswith("C") else 1)]
        lines = self.diff(files.safetensors([("w", kind, shape, pack(a))]), files.safetensors([("w", kind, shape, pack(b))]))
        self.assertEqual(lines[1:], ["", "1 of 1 common entries differs"])
        self.assertEqual(lines[0][:3], "w: ")
        return lines[0][3:]

    def test_equal(self):
        self.write("a.ckpt", files.NET_CKPT)
        self.assertEqual(self.ckpt("diff", "a.ckpt", "a.ckpt"), "equal: 7 entries\n")

    def test_equal_in_another_order(self):
        entries = [files.ckpt_entry(*entry) for entry in files.NET]
        self.write("a.ckpt", b"".join(entries))
        self.write("b.ckpt", b"".join(reversed(entries)))
        self.assertEqual(self.ckpt("diff", "a.ckpt", "b.ckpt"), "equal: 6 entries\n")

    def test_equal_across_formats_and_chunks(self):
        w = bytes(range(240))
        self.write("a.safetensors", files.safetensors([("w", "I32", [60], w)], {"format": "pt", "note": "día"}))
        self.write("b.ckpt", files.ckpt_entry("w", "Int32", [60], w[:101]) + files.ckpt_entry("w", "Int32", [60], w[101:]) + files.ckpt_string("note", "día"))
        self.assertEqual(self.ckpt("diff", "a.safetensors", "b.ckpt"), "equal: 2 entries\n")

    def test_equal_and_empty(self):
        self.write("a", b"")
        self.assertEqual(self.ckpt("diff", "a", "a"), "equal: both are empty\n")

    def test_names_types_shapes_kinds(self):
        a = [("only a", "Int8", [1], b"x"), ("type", "Int8", [2], b"xx"), ("shape", "Int8", [2, 1], b"xx"), ("kind", "Int8", [], b"x"), ("same", "Int8", [1], b"x")]
        b = [("same", "Int8", [1], b"x"), ("type", "UInt8", [2], b"xx"), ("shape", "Int8", [1, 2], b"xx"), ("only.b", "Float16", [2, 1], b"xxyy")]
        build = lambda entries: b"".join(files.ckpt_entry(*entry) for entry in entries)
        self.assertEqual(
            self.diff(build(a) + files.ckpt_string("note", "old\n"), build(b) + files.ckpt_string("kind", "k") + files.ckpt_string("note", "new" * 30)),
            [
                'only in A: "only a" int8[1]',
                "type: int8[2] in A, uint8[2] in B",
                "shape: int8[2,1] in A, int8[1,2] in B",
                'kind: int8[] in A, string "k" in B',
                'note: string "old\\n" in A, string "newnewnewnewnewnewn…newnewnewnewnewnew" in B',
                "only in B: only.b float16[2,1]",
                "",
                "4 of 5 common entries differ, 1 only in A, 1 only in B",
            ],
        )

    def test_nothing_in_common(self):
        lines = self.diff(files.ckpt_entry("a", "Int8", [1], b"x"), files.ckpt_entry("b", "Int8", [1], b"x"))
        self.assertEqual(lines[-1], "no name in common, 1 only in A, 1 only in B")

    def test_whole_numbers(self):
        self.assertEqual(self.values("I8", "b", [1, -128, 3], [1, 127, 4]), "2 of 3 values differ, by at most 255")
        self.assertEqual(self.values("U8", "B", [0, 255], [1, 255]), "1 of 2 values differs, by at most 1")
        self.assertEqual(self.values("I64", "q", [-(2**63), 0], [2**63 - 1, 0]), "1 of 2 values differs, by at most 18,446,744,073,709,551,615")
        self.assertEqual(self.values("I64", "q", [2**53], [2**53 + 1]), "1 of 1 value differs, by at most 1")
        self.assertEqual(self.values("U64", "Q", [0], [2**64 - 1]), "1 of 1 value differs, by at most 18,446,744,073,709,551,615")
        self.assertEqual(self.values("U32", "I", [5, 7], [9, 7]), "1 of 2 values differs, by at most 4")
        self.assertEqual(self.values("I16", "h", [-5], [5]), "1 of 1 value differs, by at most 10")

    def test_floats(self):
        self.assertEqual(self.values("F32", "f", [1, 2, 3, 4], [1, 2.5, 3, 3.75]), "2 of 4 values differ, by at most 0.5")
        self.assertEqual(self.values("F64", "d", [1, 2], [1, 2 + 1e-9]), "1 of 2 values differs, by at most 1e-09")
        self.assertEqual(self.values("F16", "e", [1, -2], [1, 2]), "1 of 2 values differs, by at most 4")
        self.assertEqual(self.values("BF16", "H", [0x3F80, 0x4000], [0x3F80, 0x4040]), "1 of 2 values differs, by at most 1")
        self.assertEqual(self.values("F32", "f", [0.0], [-0.0]), "1 of 1 value differs, by at most 0")
        self.assertEqual(self.values("F32", "f", [float("inf"), 1], [float("-inf"), 1]), "1 of 2 values differs, by at most inf")

    def test_nan(self):
        nan = float("nan")
        self.write("nan", files.safetensors([("w", "F32", [2], files.floats(nan, 1))]))
        self.assertEqual(self.ckpt("diff", "nan", "nan"), "equal: 1 entry\n")
        self.assertEqual(self.values("F32", "f", [nan, 1], [nan, 2]), "1 of 2 values differs, by at most 1")
        self.assertEqual(self.values("F32", "f", [nan, 1], [0, 2]), "2 of 2 values differ, by at most 1, 1 with NaN")
        self.assertEqual(self.values("F32", "f", [nan, 1], [0, 1]), "1 of 2 values differs, 1 with NaN")
        self.assertEqual(self.values("F32", "I", [0x7FC00000], [0x7FC00001]), "1 of 1 value differs, 1 with NaN")

    def test_complex(self):
        self.assertEqual(self.values("C64", "f", [0, 0, 1, 1], [3, 4, 1, 1]), "1 of 2 values differs, by at most 5")
        infinite = float("inf")
        self.assertEqual(self.values("C64", "f", [infinite, 1], [infinite, 3]), "1 of 1 value differs, by at most 2")

    def test_types_without_numbers(self):
        self.assertEqual(self.values("BOOL", "B", [0, 1], [1, 1]), "1 of 2 values differs")
        self.assertEqual(self.values("F8_E4M3", "B", [0, 1, 2], [1, 1, 1]), "2 of 3 values differ")
        pack = lambda *values: files.safetensors([("w", "F4", [2, 4], bytes(values))])
        self.assertEqual(self.diff(pack(1, 2, 3, 4), pack(1, 0x22, 3, 5))[0], "w: 2 of 4 bytes differ")
        pack = lambda *values: files.ckpt_entry("w", "Int4", [3], bytes(values))
        self.assertEqual(self.diff(pack(1, 2, 3), pack(1, 2, 4))[0], "w: 1 of 3 bytes differs")

    def test_beyond_the_first_buffer(self):
        a = bytearray(10 << 20)
        b = bytearray(a)
        for place in (0, 4 << 20, (8 << 20) - 1, (10 << 20) - 1):
            b[place] = place % 5 + 1
        lines = self.diff(files.safetensors([("w", "U8", [10 << 20], bytes(a))]), files.safetensors([("w", "U8", [10 << 20], bytes(b))]))
        self.assertEqual(lines[0], "w: 4 of 10,485,760 values differ, by at most 5")

    def test_maps(self):
        self.assertEqual(self.diff(files.ckpt_map("m", [1, 2]), files.ckpt_map("m", [1, 3]))[0], "m: the maps differ")
        self.assertEqual(self.diff(files.ckpt_map("m", [1, 2]), files.ckpt_map("m", [1]))[0], "m: the maps differ")
