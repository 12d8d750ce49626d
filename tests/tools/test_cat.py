import os
import stat
import struct

import command
import files


def read_npy(content: bytes) -> tuple[str, tuple[int, ...], bytes, tuple[int, int]]:
    """Type, shape, data and version of a .npy file."""
    assert content[:6] == b"\x93NUMPY"
    major, minor = content[6:8]
    begin, (size,) = (10, struct.unpack("<H", content[8:10])) if major == 1 else (12, struct.unpack("<I", content[8:12]))
    assert (begin + size) % 64 == 0 and content[begin + size - 1 : begin + size] == b"\n"
    header = eval(content[begin : begin + size], {"__builtins__": {}})
    assert sorted(header) == ["descr", "fortran_order", "shape"] and header["fortran_order"] is False
    return header["descr"], header["shape"], content[begin + size :], (major, minor)


class Cat(command.Case):
    def cat(self, *arguments: str) -> bytes:
        run = self.run_ckpt("cat", *arguments)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        return run.stdout

    def test_header_is_numpys(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assertEqual(
            self.cat("net.ckpt", "conv.weight"),
            b"\x93NUMPY\1\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + b" " * 58 + b"\n" + files.floats(0, 1, 2, 3, 4, 5),
        )

    def test_ranks(self):
        self.write("net.ckpt", files.NET_CKPT)
        for name, shape in [("steps", ()), ("conv.bias", (2,)), ("fc.weight", (3, 2)), ("nothing", (0, 3))]:
            self.assertEqual(read_npy(self.cat("net.ckpt", name))[1], shape)

    def test_types_of_ckpt(self):
        types = {"Bool": "|b1", "Int8": "|i1", "UInt8": "|u1", "Int16": "<i2", "UInt16": "<u2", "Int32": "<i4", "UInt32": "<u4", "Int64": "<i8"}
        types |= {"UInt64": "<u8", "Float16": "<f2", "BFloat16": "<u2", "Float32": "<f4", "Float64": "<f8", "Int4": "|u1", "Complex64": "<c8"}
        types |= {"Complex128": "<c16"}
        size = {kind: int(kind[2:]) for kind in types.values()}
        content = {name: bytes([1, 0, 1] * size[kind]) for name, kind in types.items()}
        self.write("all.ckpt", b"".join(files.ckpt_entry(name, name, [3, 1], content[name]) for name in types))
        for name, kind in types.items():
            self.assertEqual(read_npy(self.cat("all.ckpt", name)), (kind, (3, 1), content[name], (1, 0)))

    def test_types_of_safetensors_alone(self):
        names = ["F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]
        packed = [("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6)]
        tensors = [(name, name, [2, 4], bytes(range(8))) for name in names] + [(name, name, [2, 4], bytes(range(bits))) for name, bits in packed]
        self.write("all.safetensors", files.safetensors(tensors))
        for name in names:
            self.assertEqual(read_npy(self.cat("all.safetensors", name)), ("|u1", (2, 4), bytes(range(8)), (1, 0)))
        for name, bits in packed:
            self.assertEqual(read_npy(self.cat("all.safetensors", name)), ("|u1", (bits,), bytes(range(bits)), (1, 0)))

    def test_long_header_is_version_2(self):
        rank = 30000
        self.write("deep.safetensors", files.safetensors([("w", "U8", [1] * rank, b"x")]))
        kind, shape, data, version = read_npy(self.cat("deep.safetensors", "w"))
        self.assertEqual((kind, len(shape), data, version), ("|u1", rank, b"x", (2, 0)))

    def test_larger_than_the_buffer_and_in_chunks(self):
        content = os.urandom(9 << 20)
        cut = (4 << 20) + 3
        self.write("net.ckpt", files.ckpt_entry("w", "UInt8", [len(content)], content[:cut]) + files.ckpt_entry("w", "UInt8", [len(content)], content[cut:]))
        self.assertEqual(read_npy(self.cat("net.ckpt", "w"))[2], content)
        self.assertEqual(self.ckpt("cat", "net.ckpt", "w", "-o", "w.npy"), "")
        self.assertEqual(read_npy(self.read("w.npy"))[2], content)

    def test_string(self):
        self.write("net.ckpt", files.NET_CKPT + files.ckpt_string("lines", "a\nb\n") + files.ckpt_string("empty", ""))
        self.assertEqual(self.cat("net.ckpt", "note"), "día".encode())
        self.assertEqual(self.cat("net.ckpt", "lines"), b"a\nb\n")
        self.assertEqual(self.cat("net.ckpt", "empty"), b"")
        self.ckpt("cat", "net.ckpt", "note", "-o", "note.txt")
        self.assertEqual(self.read("note.txt"), "día".encode())
        self.assertEqual(self.on_terminal("cat", "net.ckpt", "note"), (0, "día\n"))
        self.assertEqual(self.on_terminal("cat", "net.ckpt", "lines"), (0, "a\nb\n"))

    def test_string_that_is_not_unicode(self):
        self.write("net.ckpt", files.ckpt_string("odd", "a\ud800"))
        self.assert_fails(["cat", "net.ckpt", "odd"], 1, 'net.ckpt: string "odd": it holds a lone surrogate, which UTF-8 cannot express')

    def test_binary_does_not_go_to_a_terminal(self):
        self.write("net.ckpt", files.NET_CKPT)
        message = "ckpt: a tensor is binary and would only confuse the terminal: name a file with -o FILE, or redirect the output (-o - prints it all the same)\n"
        self.assertEqual(self.on_terminal("cat", "net.ckpt", "fc.weight"), (2, message))

    def test_dash_is_standard_output(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assertEqual(self.cat("net.ckpt", "fc.weight", "-o", "-"), self.cat("net.ckpt", "fc.weight"))
        self.assertEqual(self.names(), ["net.ckpt"])

    def test_output_that_is_no_file(self):
        self.write("net.ckpt", files.NET_CKPT)
        os.mkfifo(self.directory / "pipe")
        for name in ("/dev/stdout", "/dev/null", "pipe"):  # the first a pipe, too, which has no directory
            for entry in ("fc.weight", "note"):
                self.assert_fails(["cat", "net.ckpt", entry, "-o", name], 2,
                                  f"{name}: is a pipe, socket or device, not a file: name a file, or - for standard output")

    def test_output_file(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.write("out.npy", b"old")
        os.chmod(self.directory / "out.npy", 0o640)
        self.ckpt("cat", "net.ckpt", "fc.weight", "--output", "out.npy")
        self.assertEqual(self.read("out.npy"), self.cat("net.ckpt", "fc.weight"))
        self.assertEqual(stat.S_IMODE((self.directory / "out.npy").stat().st_mode), 0o640)
        self.assert_fails(["cat", "net.ckpt", "fc.weight", "-o", "no/out.npy"], 3, 'no/out.npy: cannot open the directory "no": No such file or directory')

    def test_names(self):
        names = ["", "ls", "-x", "--json", "a b", "重み"]
        self.write("net.safetensors", files.safetensors([(name, "U8", [1], bytes([place])) for place, name in enumerate(names)]))
        for place, name in enumerate(names):
            self.assertEqual(self.cat("net.safetensors", "--", name)[-1:], bytes([place]))
        self.assertEqual(self.cat("net.safetensors", "ls")[-1:], b"\1")

    def test_missing_name(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assert_fails(["cat", "net.ckpt", "fc"], 1, 'net.ckpt: entry "fc": there is none of that name among 7; `ckpt ls` shows them')

    def test_map(self):
        self.write("net.ckpt", files.ckpt_map("table", [1]))
        self.assert_fails(["cat", "net.ckpt", "table"], 1, 'net.ckpt: map "table": a hash table is neither an array nor text')

    def test_bad_bool_leaves_no_file(self):
        self.write("net.safetensors", files.safetensors([("mask", "BOOL", [2], b"\1\7")]))
        self.assert_fails(["cat", "net.safetensors", "mask", "-o", "x.npy"], 1, 'net.safetensors: tensor "mask": a bool is 7, neither 0 nor 1')
        self.assertEqual(self.names(), ["net.safetensors"])
