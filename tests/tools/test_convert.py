import fcntl
import os
import resource
import signal
import stat
import subprocess
import time
import zlib

import command
import files


class Convert(command.Case):
    def entries(self, name: str) -> list[str]:
        return [line.split("  ")[0] for line in self.ckpt("ls", name).split("\n\n")[0].splitlines()[1:]]

    def write_pairs(self, name: str, count: int, size: int) -> None:
        self.write(name, files.safetensors([(f"w{i}", "U8", [size], bytes([i]) * size) for i in range(count)]))

    def test_to_safetensors_and_back(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assertEqual(self.ckpt("convert", "net.ckpt", "net.safetensors"), "wrote net.safetensors: safetensors, 6 tensors, 1 string, 72 B\n")
        header, data = files.read_safetensors(self.read("net.safetensors"))
        self.assertEqual(header["__metadata__"], {"format": "ms", "note": "día"})
        self.assertEqual(header["conv.weight"], {"dtype": "F32", "shape": [2, 3], "data_offsets": [16, 40]})
        self.assertEqual(data[16:40], files.floats(0, 1, 2, 3, 4, 5))
        self.assertEqual(self.ckpt("convert", "net.safetensors", "again.ckpt"), "wrote again.ckpt: ckpt, 6 tensors, 1 string, 72 B\n")
        self.assertEqual(self.ckpt("diff", "net.ckpt", "again.ckpt"), "equal: 7 entries\n")

    def test_same_format_is_the_same_file(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.ckpt("convert", "net.ckpt", "again.ckpt")
        self.assertEqual(self.read("again.ckpt"), files.NET_CKPT)

    def test_metadata_is_kept(self):
        metadata = {"format": "pt", "zeta": "1", "remove_redundancy": "True", "note": "día", "crc_num": "12", "packed": "Int4"}
        self.write("net.safetensors", files.safetensors([("w", "F32", [1], bytes(4)), ("packed", "I8", [2], b"ab")], metadata))
        self.ckpt("convert", "net.safetensors", "again.safetensors")
        self.assertEqual(self.read("again.safetensors"), self.read("net.safetensors"))

    def test_format_is_not_invented(self):
        tensors = [("a", "F32", [1], bytes(4)), ("b", "F32", [1], bytes(4))]
        for metadata in (None, {"note": "día"}, {"note": "1", "format": "pt"}, {"note": "1", "remove_redundancy": "True"}):
            self.write("net.safetensors", files.safetensors(tensors, metadata))
            self.ckpt("convert", "net.safetensors", "again.safetensors")
            self.assertEqual(self.read("again.safetensors"), self.read("net.safetensors"))
            self.ckpt("convert", "net.safetensors", "part.safetensors", "--only", "^a$", "--rename", "a=x")
            header, _ = files.read_safetensors(self.read("part.safetensors"))
            kept = {key: value for key, value in (metadata or {}).items() if key != "note"}
            self.assertEqual(header.pop("__metadata__", {}), kept)
            self.assertEqual(list(header), ["x"])

    def test_format_is_mindspores_where_the_input_has_no_metadata_at_all(self):
        self.write("net.ckpt", files.ckpt_entry("w", "Int8", [1], b"x"))
        self.ckpt("convert", "net.ckpt", "net.safetensors")
        self.assertEqual(files.read_safetensors(self.read("net.safetensors"))[0]["__metadata__"], {"format": "ms"})

    def test_metadata_of_a_part(self):
        metadata = {"format": "pt", "a.note": "1", "b.note": "2", "crc_num": "12", "a.w": "Int4"}
        self.write("net.safetensors", files.safetensors([("a.w", "I8", [2], b"ab"), ("b.w", "I8", [2], b"cd")], metadata))
        self.ckpt("convert", "net.safetensors", "part.safetensors", "--only", "^a", "--rename", "^a=c")
        header, data = files.read_safetensors(self.read("part.safetensors"))
        self.assertEqual(list(header["__metadata__"].items()), [("format", "pt"), ("c.note", "1"), ("c.w", "Int4")])
        self.assertEqual((list(header)[1:], data), (["c.w"], b"ab"))

    def test_metadata_that_is_lost_is_said(self):
        tensors = [("w", "F32", [1], bytes(4)), ("v", "F32", [1], bytes(4)), ("packed", "I8", [2], b"ab")]
        metadata = {"format": "pt", "note": "día", "w": "what it is", "packed": "Int4"}
        self.write("net.safetensors", files.safetensors(tensors, metadata))
        said = self.ckpt("convert", "net.safetensors", "net.ckpt")
        self.assertEqual(said, "wrote net.ckpt: ckpt, 3 tensors, 1 string, 14 B, without 1 metadata pair that is named as a tensor\n")
        self.assertEqual(self.ckpt("diff", "net.safetensors", "net.ckpt"), "equal: 4 entries\n")
        self.assertIn("entries nor pairs of a safetensors file's metadata that are no entries: format,\ncrc_num, remove_redundancy, and those that are "
                      "named as tensors.", self.ckpt("diff", "--help"))
        said = self.ckpt("convert", "net.safetensors", "part.ckpt", "--only", "^[vp]")
        self.assertEqual(said, "wrote part.ckpt: ckpt, 2 tensors, 6 B\n")
        said = self.ckpt("convert", "net.safetensors", "again.safetensors")
        self.assertEqual(said, "wrote again.safetensors: safetensors, 3 tensors, 1 string, 14 B\n")
        # What the file says of itself: the checksum has words of its own, and a ckpt file needs no format.
        self.write("net.safetensors", files.safetensors(tensors, {**metadata, "v": "", "remove_redundancy": "True", "crc_num": "12"}))
        said = self.ckpt("convert", "net.safetensors", "net.ckpt")
        self.assertEqual(said, "wrote net.ckpt: ckpt, 3 tensors, 1 string, 14 B, without its checksum, without 2 metadata pairs that are named as "
                               "tensors, without its remove_redundancy\n")

    def test_strings_and_pairs_that_would_get_a_reserved_name(self):
        tensors = [("w", "F32", [1], bytes(4)), ("packed", "I8", [2], b"ab")]
        self.write("net.safetensors", files.safetensors(tensors, {"format": "pt", "note": "día", "w": "what it is", "packed": "Int4"}))
        convert = ["convert", "net.safetensors", "new.safetensors", "--rename"]
        where = "a safetensors file keeps strings in its metadata, where this name is MindSpore's; rename it, or save as ckpt"
        marked = "an int4 tensor is marked by its name in the metadata, where this name is taken; rename it"
        for name in ("format", "crc_num", "remove_redundancy"):
            for extra in ([], ["--crc"]):
                self.assert_fails([*convert, f"note={name}", "--only", "note", *extra], 1, f'new.safetensors: string "{name}": {where}')
            self.assert_fails([*convert, f"packed={name}"], 1, f'new.safetensors: tensor "{name}": {marked}')
            self.assert_fails([*convert, f"w={name}"], 1, f'net.safetensors: metadata pair "w": it would be named "{name}", which says something of the file')
        self.assert_fails([*convert, "note=__metadata__"], 1,
                          'new.safetensors: string "__metadata__": safetensors reserves this name for itself; rename it, or save as ckpt')
        self.assertEqual(self.names(), ["net.safetensors"])

    def test_output_that_is_no_file(self):
        self.write("net.ckpt", files.NET_CKPT)
        os.mkfifo(self.directory / "pipe.ckpt")
        self.assert_fails(["convert", "net.ckpt", "pipe.ckpt"], 2, "pipe.ckpt: is a pipe, socket or device, not a file: choose another path")
        os.symlink("/dev/stdout", self.directory / "out.ckpt")  # a pipe here, which has no directory
        self.assert_fails(["convert", "net.ckpt", "out.ckpt"], 2, "out.ckpt: is a pipe, socket or device, not a file: choose another path")

    def test_checksum(self):
        self.write("net.ckpt", files.NET_CKPT)
        said = "6 tensors, 1 string, 72 B, with a CRC-32\n"
        self.assertEqual(self.ckpt("convert", "--crc", "net.ckpt", "crc.ckpt"), f"wrote crc.ckpt: ckpt, {said}")
        self.assertEqual(self.read("crc.ckpt"), files.NET_CKPT + b"crc_num" + zlib.crc32(files.NET_CKPT).to_bytes(10, "big"))
        self.ckpt("convert", "crc.ckpt", "again.ckpt")
        self.assertEqual(self.read("again.ckpt"), files.NET_CKPT)
        self.assertEqual(self.ckpt("convert", "--crc", "crc.ckpt", "crc.safetensors"), f"wrote crc.safetensors: safetensors, {said}")
        header, data = files.read_safetensors(self.read("crc.safetensors"))
        offsets = {name: header[name]["data_offsets"] for name in header if name != "__metadata__"}
        content = b"".join(name.encode() + (bytes(7) if name == "steps" else data[slice(*offsets[name])]) for name in sorted(offsets))
        self.assertEqual(header["__metadata__"], {"format": "ms", "crc_num": str(zlib.crc32(content)), "note": "día"})
        self.assertIn("CRC-32 verified", self.ckpt("verify", "crc.safetensors"))
        # What the file said of itself is made anew, or left out where it would be wrong.
        self.ckpt("convert", "--crc", "crc.safetensors", "part.safetensors", "--only", "^conv", "--rename", "conv=c")
        self.assertIn("CRC-32 verified", self.ckpt("verify", "part.safetensors"))
        self.ckpt("convert", "crc.safetensors", "same.safetensors")
        self.assertIn("CRC-32 verified", self.ckpt("verify", "same.safetensors"))
        self.ckpt("convert", "crc.safetensors", "part.safetensors", "--only", "^conv")
        self.assertNotIn("CRC-32", self.ckpt("verify", "part.safetensors"))

    def test_to_adds_the_suffix(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assertEqual(self.ckpt("convert", "net.ckpt", "out.bin", "--to", "safetensors")[:28], "wrote out.bin.safetensors: s")
        self.assertEqual(self.names(), ["net.ckpt", "out.bin.safetensors"])
        self.ckpt("convert", "net.ckpt", "same.ckpt", "--to=ckpt")
        self.assertEqual(self.read("same.ckpt"), files.NET_CKPT)

    def test_unclear_format(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assert_fails(
            ["convert", "net.ckpt", "out.bin"],
            2,
            "cannot tell the format from the name out.bin: end it in .ckpt or .safetensors, or say --to ckpt or --to safetensors",
        )
        self.assert_fails(
            ["convert", "net.ckpt", "out.ckpt", "--to", "safetensors"],
            2,
            "--to safetensors contradicts the name out.ckpt: leave it out, or name OUT otherwise",
        )

    def test_only(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.ckpt("convert", "net.ckpt", "part.ckpt", "--only", r"conv|^n.t")
        self.assertEqual(self.entries("part.ckpt"), ["conv.weight", "conv.bias", "nothing", "note"])

    def test_only_that_matches_nothing(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assert_fails(["convert", "net.ckpt", "part.ckpt", "--only", "^onv"], 1, "net.ckpt: --only matches none of its 7 names")
        self.assertEqual(self.names(), ["net.ckpt"])

    def test_rename(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.ckpt("convert", "net.ckpt", "new.ckpt", "--rename", r"^(conv|fc)\.(.*)=$2-of-$1", "--rename", "conv=c", "--rename", "o=0", "--rename", "te$=")
        self.assertEqual(self.entries("new.ckpt"), ["weight-0f-c", "bias-0f-c", "weight-0f-fc", "steps", "mask", "n0thing", "n0"])

    def test_only_sees_old_names(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.ckpt("convert", "--rename", "conv=x", "--only", "conv", "net.ckpt", "new.ckpt")
        self.assertEqual(self.entries("new.ckpt"), ["x.weight", "x.bias"])

    def test_rename_is_cut_at_its_last_equals_sign_and_brackets_mean_nothing_else(self):
        self.write("net.safetensors", files.safetensors([("a=b", "U8", [1], b"x"), ("[c]", "U8", [1], b"y")]))
        self.ckpt("convert", "net.safetensors", "new.ckpt", "--rename", "[=]=[,]", "--rename", r"[\[]c[\]]=[d]")
        self.assertEqual(self.entries("new.ckpt"), ["a[,]b", "[d]"])

    def test_rename_works_on_characters(self):
        self.write("net.safetensors", files.safetensors([("é重w", "U8", [1], b"x")]))
        self.ckpt("convert", "net.safetensors", "new.ckpt", "--rename", "^.(.)=ü$1$1", "--rename", "[à-ý]=é")
        self.assertEqual(self.entries("new.ckpt"), ["é重重w"])

    def test_rename_that_matches_nothing_is_noted(self):
        self.write("net.ckpt", files.NET_CKPT)
        run = self.run_ckpt("convert", "net.ckpt", "new.ckpt", "--rename", "cnov=x", "--rename", "conv=y")
        self.assertEqual((run.returncode, run.stderr.decode()), (0, 'ckpt: note: --rename "cnov=x" matches no name\n'))

    def test_names_that_collide(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assert_fails(
            ["convert", "net.ckpt", "new.ckpt", "--rename", "conv|fc=x"],
            1,
            'net.ckpt: entry "fc.weight": it would be named x.weight, as conv.weight would',
        )
        self.assert_fails(
            ["convert", "net.ckpt", "new.ckpt", "--rename", "^fc=conv"],
            1,
            'net.ckpt: entry "fc.weight": it would be named conv.weight, as another one is',
        )
        self.assertEqual(self.names(), ["net.ckpt"])

    def test_bad_expressions(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assert_fails(["convert", "net.ckpt", "b.ckpt", "--rename", "ab"], 2, "--rename: \"ab\" has no '='; write REGEX=TEXT")
        self.assert_fails(["convert", "net.ckpt", "b.ckpt", "--rename", "=b"], 2, "--rename: \"=b\" has nothing before its '='; write REGEX=TEXT")
        for option, text in [("--only", "("), ("--rename", "[a=x")]:
            run = self.run_ckpt("convert", "net.ckpt", "b.ckpt", option, text)
            self.assertEqual((run.returncode, run.stdout), (2, b""))
            self.assertRegex(run.stderr.decode(), rf'\Ackpt: {option}: "[\[(a]+" is not a regular expression: .+\n\Z')

    def test_name_too_long_for_expressions(self):
        self.write("net.safetensors", files.safetensors([("x" * 100000, "U8", [1], b"x")]))
        run = self.run_ckpt("convert", "net.safetensors", "b.safetensors", "--only", "(x|y)*z")
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"the name has 100000 characters; --only and --rename take names of up to 3276 where the expression has so many groups", run.stderr)
        self.ckpt("convert", "net.safetensors", "b.safetensors")
        self.write("net.safetensors", files.safetensors([("x" * 1024, "U8", [1], b"x")]))
        run = self.run_ckpt("convert", "net.safetensors", "b.safetensors", *["--rename", "x=xxxxxxxx"] * 8)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"the name has 8192 characters", run.stderr)

    def test_what_the_other_format_cannot_hold(self):
        self.write("net.safetensors", files.safetensors([("w", "F8_E4M3", [1], b"x")]))
        self.assert_fails(
            ["convert", "net.safetensors", "new.ckpt"],
            1,
            'new.ckpt: tensor "w": a ckpt file cannot hold float8_e4m3; save it as safetensors, or convert it first',
        )
        self.write("map.ckpt", files.ckpt_map("table", [1]))
        self.assert_fails(
            ["convert", "map.ckpt", "map.safetensors"],
            1,
            'map.safetensors: map "table": a safetensors file cannot hold a map parameter; save it as ckpt',
        )
        self.ckpt("convert", "map.ckpt", "again.ckpt")
        self.assertEqual(self.read("again.ckpt"), self.read("map.ckpt"))

    def test_in_place(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.ckpt("convert", "net.ckpt", "net.ckpt", "--rename", "^=model.")
        self.assertEqual(self.entries("net.ckpt")[0], "model.conv.weight")
        self.write_pairs("big.safetensors", 3, 5 << 20)
        self.ckpt("convert", "big.safetensors", "big.safetensors", "--only", "w[02]")
        self.assertEqual(files.read_safetensors(self.read("big.safetensors"))[1], bytes(5 << 20) + b"\2" * (5 << 20))
        self.assertEqual(self.names(), ["big.safetensors", "net.ckpt"])

    def test_in_place_through_a_link(self):
        self.write("net.ckpt", files.NET_CKPT)
        os.symlink("net.ckpt", self.directory / "link.ckpt")
        self.ckpt("convert", "link.ckpt", "link.ckpt", "--only", "note")
        self.assertTrue((self.directory / "link.ckpt").is_symlink())
        self.assertEqual(self.entries("net.ckpt"), ["note"])

    def mode(self, name: str) -> int:
        return stat.S_IMODE((self.directory / name).stat().st_mode)

    def test_mode(self):
        self.write("net.ckpt", files.NET_CKPT)
        before = os.umask(0o027)
        try:
            self.ckpt("convert", "net.ckpt", "new.safetensors")
            self.assertEqual(self.mode("new.safetensors"), 0o640)
            os.chmod(self.directory / "net.ckpt", 0o400)
            self.ckpt("convert", "net.ckpt", "net.ckpt")
            self.assertEqual(self.mode("net.ckpt"), 0o400)
        finally:
            os.umask(before)

    def test_no_such_directory(self):
        self.write("net.ckpt", files.NET_CKPT)
        self.assert_fails(["convert", "net.ckpt", "no/new.ckpt"], 3, 'no/new.ckpt: cannot open the directory "no": No such file or directory')

    def test_a_limit_of_the_shell_is_an_error(self):
        self.write_pairs("big.safetensors", 1, 1 << 20)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
        run = self.run_ckpt("convert", "big.safetensors", "big.ckpt", preexec_fn=limit)
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertTrue(run.stderr.endswith(b": File too large\n"), run.stderr)
        self.assertEqual(self.names(), ["big.safetensors"])

    def test_bar_on_a_terminal_only(self):
        self.write_pairs("big.safetensors", 4, 24 << 20)
        self.assertEqual(self.run_ckpt("convert", "big.safetensors", "pipe.ckpt").stderr, b"")
        code, shown = self.on_terminal("convert", "big.safetensors", "dumb.ckpt", term="dumb")
        self.assertEqual((code, shown), (0, "wrote dumb.ckpt: ckpt, 4 tensors, 96.0 MiB (100,663,296 bytes)\n"))
        code, shown = self.on_terminal("convert", "big.safetensors", "shown.ckpt")
        *drawn, last = shown.split("\r")
        self.assertEqual((code, last), (0, "\x1b[Kwrote shown.ckpt: ckpt, 4 tensors, 96.0 MiB (100,663,296 bytes)\n"))
        self.assertGreater(len(drawn), 1)
        for line in drawn[1:]:
            self.assertRegex(line, r"\A\[#*-*\] [ \d]{2}\d%  [\d.]+ M?i?B of 96\.0 MiB  (.* left|syncing to the disk)\x1b\[K\Z")
            self.assertLess(len(line), 80 + len("\x1b[K"))

    def convert_while(self, change, *arguments: str) -> tuple[int, str]:
        """Calls `change` between reading the input's structure and writing the output. Returns the exit code and what was said, without notes."""
        # The notes are more than a pipe of one page takes, so the command stands still until they are read.
        rules = [f"{letter * 1000}=x" for letter in "0123456789"]
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        with subprocess.Popen(
            [*command.COMMAND, "convert", *arguments, *(f"--rename={rule}" for rule in rules)], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=write
        ) as process:
            os.close(write)
            with open(read, "rb") as said:
                text = said.read(1)
                change()
                text += said.read()
            code = process.wait(120)
        notes = "".join(f'ckpt: note: --rename "{rule}" matches no name\n' for rule in rules)
        self.assertTrue(text.decode().startswith(notes), text)
        return code, text.decode()[len(notes) :]

    def test_input_cut_short_meanwhile(self):
        for size, left in [(4 << 20, 5 << 20), (4 << 20, 1000), (10, 180)]:  # within the second tensor, within the first, small ones
            self.write_pairs("net.safetensors", 3, size)
            whole = len(self.read("net.safetensors"))
            # The last 17 bytes of a ckpt file are looked at before anything is written: they must not be those of a checksum.
            last = whole - min(size, 17)
            for output, byte in [("out.ckpt", last), ("out.safetensors", left), ("net.safetensors", left)]:
                with self.subTest(size=size, left=left, output=output):
                    self.write_pairs("net.safetensors", 3, size)
                    if output != "net.safetensors":
                        self.write(output, b"an old file")
                    code, said = self.convert_while(lambda: os.truncate(self.directory / "net.safetensors", left), "net.safetensors", output)
                    why = "net.safetensors: was cut short by someone else while it was read"
                    self.assertEqual((code, said), (3, f"ckpt: {why}: it had {whole} bytes, at byte {byte}\n"))
                    self.assertEqual(self.names(), sorted({"net.safetensors", output}))
                    self.assertEqual(len(self.read("net.safetensors")), left)
                    if output != "net.safetensors":
                        self.assertEqual(self.read(output), b"an old file")
                        os.remove(self.directory / output)

    def test_input_replaced_or_removed_meanwhile(self):
        for change in (lambda: os.remove(self.directory / "net.ckpt"), lambda: os.replace(self.directory / "other", self.directory / "net.ckpt")):
            self.write("net.ckpt", files.NET_CKPT)
            self.write("other", b"another file")
            self.assertEqual(self.convert_while(change, "net.ckpt", "out.ckpt"), (0, ""))
            self.assertEqual(self.read("out.ckpt"), files.NET_CKPT)

    def test_string_that_is_not_unicode(self):
        self.write("net.ckpt", files.ckpt_string("odd", "a\ud800"))
        message = 'net.ckpt: string "odd": it holds a lone surrogate, which UTF-8 cannot express'
        self.assert_fails(["convert", "net.ckpt", "new.safetensors"], 1, message)
        self.assertEqual(self.names(), ["net.ckpt"])

    def test_signal_leaves_nothing_behind(self):
        self.write_pairs("big.safetensors", 4, 64 << 20)
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([*command.COMMAND, "convert", "big.safetensors", "new.ckpt"], cwd=self.directory, stderr=subprocess.PIPE)
            deadline = time.monotonic() + 60
            while self.names() == ["big.safetensors"] and time.monotonic() < deadline:  # until the temporary file is there
                time.sleep(0.001)
            process.send_signal(number)
            _, complaint = process.communicate(timeout=60)
            if process.returncode == 0:  # it was done first
                self.assertEqual(self.names(), ["big.safetensors", "new.ckpt"])
                os.remove(self.directory / "new.ckpt")
                continue
            self.assertEqual((process.returncode, complaint), (-number, b""))
            self.assertEqual(self.names(), ["big.safetensors"])
