import json

import command
import files


class Ls(command.Case):
    def test_table(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assertEqual(
            self.ckpt("ls", "net.ckpt"),
            "name         dtype    shape  size\n"
            "conv.weight  float32  [2,3]  24 B\n"
            "conv.bias    float32  [2]     8 B\n"
            "fc.weight    float32  [3,2]  24 B\n"
            "steps        int64    []      8 B\n"
            "mask         bool     [4]     4 B\n"
            "nothing      int8     [0,3]   0 B\n"
            "note         string   -       4 B\n"
            "\n"
            "ckpt: 6 tensors, 1 string, 72 B\n",
        )

    def test_sizes(self):
        tensors = [(str(n), "U8", [n], bytes(n)) for n in (1023, 1024, 1536, 1048524, 1048525, 3 << 20)]
        self.write("sizes.safetensors", files.safetensors(tensors))
        lines = self.ckpt("ls", "sizes.safetensors").splitlines()
        self.assertEqual([line[-11:] for line in lines[1:7]], ["     1023 B", "    1.0 KiB", "    1.5 KiB", " 1023.9 KiB", "    1.0 MiB", "    3.0 MiB"])
        self.assertEqual(lines[-1], "safetensors: 6 tensors, 5.0 MiB (5,246,360 bytes)")

    def test_nothing(self):
        self.write("nothing.ckpt", b"")
        self.assertEqual(self.ckpt("ls", "nothing.ckpt"), "ckpt: 0 tensors, 0 B\n")

    def test_metadata_that_is_no_entry(self):
        self.write("net.safetensors", files.safetensors([("w", "BF16", [1], b"xx")], {"format": "pt", "note": "hi", "crc_num": "1"}))
        self.assertEqual(
            self.ckpt("ls", "net.safetensors"),
            "name  dtype     shape  size\n"
            "w     bfloat16  [1]     2 B\n"
            "note  string    -       2 B\n"
            "\n"
            'safetensors (format "pt", crc_num "1"): 1 tensor, 1 string, 4 B\n'
            "the file has a CRC-32\n",
        )

    def test_names_that_need_quotes(self):
        names = ["", "a b", 'say "hi"', "back\\slash", "line\nfeed", "\x1b[2J", "重み", "e\u0301", "\u202e", "\x85"]
        self.write("names.safetensors", files.safetensors([(name, "U8", [1], b"x") for name in names]))
        lines = self.ckpt("ls", "names.safetensors").split("\n")
        self.assertEqual(
            lines[1:11],
            [
                r'""             uint8  [1]     1 B',
                r'"a b"          uint8  [1]     1 B',
                r'"say \"hi\""   uint8  [1]     1 B',
                r'"back\\slash"  uint8  [1]     1 B',
                r'"line\nfeed"   uint8  [1]     1 B',
                r'"\u001b[2J"    uint8  [1]     1 B',
                "重み           uint8  [1]     1 B",
                "e\u0301              uint8  [1]     1 B",
                r'"\u202e"       uint8  [1]     1 B',
                r'"\u0085"       uint8  [1]     1 B',
            ],
        )

    def write_long_names(self):
        self.write("long.safetensors", files.safetensors([(f"block.{i}." + "deep." * 20 + "weight", "F32", [1], bytes(4)) for i in (1, 22)]))

    def test_long_names_are_whole_in_a_pipe(self):
        self.write_long_names()
        lines = self.ckpt("ls", "long.safetensors").splitlines()
        self.assertEqual(lines[0], "name" + " " * 54 + "  dtype    shape  size")
        self.assertEqual(lines[1], "block.1." + "deep." * 20 + "weight  float32  [1]  4 B")

    def test_a_little_too_long_name_shifts_as_little_as_it_can(self):
        names = ["a" * 58, "b" * 59, "c"]
        self.write("long.safetensors", files.safetensors([(name, "F32", [1], bytes(4)) for name in names]))
        lines = self.ckpt("ls", "long.safetensors").splitlines()
        self.assertEqual(lines[1:4], ["a" * 58 + "  float32  [1]     4 B", "b" * 59 + "  float32  [1]    4 B", "c" + " " * 59 + "float32  [1]     4 B"])

    def test_long_names_are_shortened_on_a_terminal(self):
        self.write_long_names()
        for columns in (80, 120, 60):
            code, shown = self.on_terminal("ls", "long.safetensors", columns=columns)
            self.assertEqual(code, 0)
            lines = shown.splitlines()
            for line in lines[:3]:
                self.assertEqual(len(line), columns)
            self.assertRegex(lines[1], r"\Ablock\.1\.[dep.]*…[dep.]*\.weight  float32  \[1\]     4 B\Z")

    def test_a_narrow_terminal_leaves_names_16_columns(self):
        self.write_long_names()
        _, shown = self.on_terminal("ls", "long.safetensors", columns=20)
        self.assertEqual(shown.splitlines()[2], "block.22….weight  float32  [1]     4 B")

    def test_json(self):
        self.write("net.ckpt", files.NET_CKPT)
        text = self.ckpt("ls", "--json", "net.ckpt")
        listing = json.loads(text)
        self.assertEqual(list(listing), ["format", "cipher", "checksum", "sealed", "bytes", "metadata", "entries"])
        self.assertEqual(
            {key: listing[key] for key in list(listing)[:6]},
            {"format": "ckpt", "cipher": None, "checksum": None, "sealed": None, "bytes": len(files.NET_CKPT), "metadata": {}},
        )
        self.assertEqual(listing["entries"][0], {"name": "conv.weight", "kind": "tensor", "dtype": "float32", "shape": [2, 3], "bytes": 24})
        self.assertEqual(listing["entries"][3], {"name": "steps", "kind": "tensor", "dtype": "int64", "shape": [], "bytes": 8})
        self.assertEqual(listing["entries"][6], {"name": "note", "kind": "string", "dtype": None, "shape": [], "bytes": 4})
        self.assertEqual(text.splitlines()[1], '{"name":"conv.weight","kind":"tensor","dtype":"float32","shape":[2,3],"bytes":24},')

    def test_json_of_nothing(self):
        self.write("nothing.ckpt", b"")
        self.assertEqual(self.ckpt("ls", "nothing.ckpt", "--json"), '{"format":"ckpt","cipher":null,"checksum":null,"sealed":null,"bytes":0,"metadata":{},"entries":[]}\n')

    def test_json_keeps_metadata_in_order_and_escapes(self):
        metadata = {"z": 'a"\\\n\x01', "format": "pt", "a": "día", "": "😀"}
        content = files.safetensors([("w\t", "F8_E4M3", [1], b"x")], metadata)
        self.write("net.safetensors", content)
        listing = json.loads(self.ckpt("ls", "net.safetensors", "--json"))
        self.assertEqual(list(listing["metadata"].items()), list(metadata.items()))
        self.assertEqual((listing["format"], listing["bytes"]), ("safetensors", len(content)))
        self.assertEqual(listing["entries"][0], {"name": "w\t", "kind": "tensor", "dtype": "float8_e4m3", "shape": [1], "bytes": 1})

    def test_map_and_checksum(self):
        self.write("net.ckpt", files.ckpt_map("table", [1, 2]) + b"crc_num" + bytes(10))
        listing = json.loads(self.ckpt("ls", "net.ckpt", "--json"))
        self.assertEqual(listing["checksum"], "crc32")
        self.assertEqual({key: listing["entries"][0][key] for key in ("name", "kind", "dtype", "shape")}, {"name": "table", "kind": "map", "dtype": None, "shape": []})
        self.assertIn("table  map    -", self.ckpt("ls", "net.ckpt"))
