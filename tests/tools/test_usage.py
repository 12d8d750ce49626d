"""Help, mistakes on the command line, and failures that every command has."""
import os

import command
import files


class Usage(command.Case):
    def test_version(self):
        self.assertRegex(self.ckpt("--version"), r"\Ackpt \d+\.\d+\.\d+\n\Z")

    def test_help_names_every_command_and_fits_80_columns(self):
        for name in ["ls", "verify", "cat", "convert", "diff"]:
            self.assertIn(f"\n  {name} ", self.ckpt("--help"))
            self.assertIn(f"Usage: ckpt {name} ", self.ckpt(name, "--help"))
            self.assertEqual(self.ckpt(name, "--help"), self.ckpt(name, "-h"))
            for line in self.ckpt("--help").splitlines() + self.ckpt(name, "--help").splitlines():
                self.assertLessEqual(len(line), 80)

    def test_help_names_every_option(self):
        self.assertIn("--json", self.ckpt("ls", "--help"))
        self.assertIn("-o,--output F", self.ckpt("cat", "--help"))
        self.assertIn("--require-crc", self.ckpt("verify", "--help"))
        for option in ["--key-file F", "--key-env VAR", "--passphrase-env VAR", "--b-key-file F", "--b-key-env VAR", "--b-passphrase-env VAR"]:
            self.assertIn(option, self.ckpt("diff", "--help"))
        for option in ["--to FORMAT", "--only REGEX", "--rename REGEX=TEXT", "--crc"]:
            self.assertIn(option, self.ckpt("convert", "--help"))

    def test_no_command_shows_the_help(self):
        run = self.run_ckpt()
        self.assertEqual((run.returncode, run.stdout), (2, b""))
        self.assertEqual(run.stderr.decode(), self.ckpt("--help"))

    def test_mistakes(self):
        self.assert_fails(["list"], 2, "there is no command list; try `ckpt --help`")
        self.assert_fails(["--fast"], 2, "there is no option --fast; try `ckpt --help`")
        for arguments in (["list", "--help"], ["--help", "list"], ["list", "-h"], ["list", "--version"], ["list", "ls", "a"], ["list", "ls", "--help"]):
            self.assert_fails(arguments, 2, "there is no command list; try `ckpt --help`")
        self.assert_fails(["ls"], 2, "FILE is required; try `ckpt ls --help`")
        self.assert_fails(["ls", "a", "b"], 2, "The following argument was not expected: b; try `ckpt ls --help`")
        self.assert_fails(["diff", "a"], 2, "B is required; try `ckpt diff --help`")
        self.assert_fails(["convert", "a", "b", "--to", "zip"], 2, "--to: zip not in {ckpt,safetensors}; try `ckpt convert --help`")

    def test_missing_file(self):
        for arguments in [["ls", "no"], ["verify", "no"], ["cat", "no", "x"], ["convert", "no", "a.ckpt"], ["diff", "no", "no"]]:
            self.assert_fails(arguments, 3, "no: cannot open: No such file or directory")

    def test_directory(self):
        self.assert_fails(["ls", "."], 3, ".: cannot open: Is a directory")

    def test_pipe_as_file(self):
        os.mkfifo(self.directory / "pipe")
        for arguments in (["ls", "pipe"], ["verify", "pipe"], ["diff", "pipe", "pipe"], ["convert", "pipe", "x.ckpt"], ["key", "pipe", "--passphrase-env", "HOME"]):
            self.assert_fails(arguments, 2, "pipe: is a pipe, socket or device, not a file: write what it gives to a file first")

    def test_content_that_is_refused(self):
        self.write("bad.safetensors", files.safetensors([("w", "F32", [2, 2], bytes(24))]))
        message = 'bad.safetensors: tensor "w": data_offsets [0,24) do not match F32[2,2] (16 bytes), at byte 57'
        for arguments in [["ls"], ["verify"], ["cat", "-o", "x", "--"], ["convert", "--to", "ckpt"], ["diff"]]:
            with self.subTest(arguments[0]):
                second = [] if arguments[0] in ("ls", "verify") else ["bad.safetensors"] if arguments[0] == "diff" else ["x"]
                self.assert_fails([*arguments, "bad.safetensors", *second], 1, message)
        self.assertEqual(self.names(), ["bad.safetensors"])

    def test_encrypted_file(self):
        self.write("secret.ckpt", (0x7F3A5ED8).to_bytes(4, "little") + bytes(64))
        run = self.run_ckpt("ls", "secret.ckpt")
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"encrypted with AES-GCM", run.stderr)

    def test_full_disk(self):
        self.write("net.ckpt", files.NET_CKPT)
        with open("/dev/full", "wb") as full:
            for arguments in [["ls", "net.ckpt"], ["verify", "net.ckpt"], ["cat", "net.ckpt", "fc.weight"], ["diff", "net.ckpt", "net.ckpt"]]:
                run = self.run_ckpt(*arguments, stdout=full)
                self.assertEqual((run.returncode, run.stderr.decode()), (3, "ckpt: standard output: cannot write: No space left on device\n"))

    def test_reader_that_goes_away(self):
        self.write("many.safetensors", files.safetensors([(f"layer.{i}.weight", "U8", [1], b"x") for i in range(20000)]))
        read, write = os.pipe()
        os.close(read)
        run = self.run_ckpt("ls", "many.safetensors", stdout=write, restore_signals=True)
        os.close(write)
        self.assertEqual((run.returncode, run.stderr), (-13, b""))

    def test_controls_in_messages_are_escaped(self):
        self.write("net.ckpt", files.ckpt_entry("\x1b[2J", "Float9", [1], b"x"))
        run = self.run_ckpt("ls", "net.ckpt")
        self.assertEqual(run.returncode, 1)
        self.assertIn(rb'tensor "\u001b[2J": ', run.stderr)
        self.assertNotIn(b"\x1b", run.stderr)
