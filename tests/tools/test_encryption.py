import os
import unittest.mock

import command
import files

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
SHORT = KEY[:32]
CIPHERS = {"aes-gcm": "AES-GCM", "aes-cbc": "AES-CBC", "sm4-cbc": "SM4-CBC"}


class Encryption(command.Case):
    def setUp(self) -> None:
        super().setUp()
        variables = {"CKPT_TEST_KEY": SHORT, "CKPT_TEST_WORDS": "correct horse battery staple", "CKPT_TEST_WRONG": "f" * 32}
        environment = unittest.mock.patch.dict(os.environ, variables)
        environment.start()
        self.addCleanup(environment.stop)
        self.write("net.ckpt", files.NET_CKPT)
        self.write("key", SHORT.encode() + b"\n")

    def encrypt(self, option: str = "aes-gcm", name: str = "secret.ckpt") -> None:
        self.ckpt("convert", "net.ckpt", name, "--encrypt", option, "--out-key-file", "key")

    def test_there_and_back(self):
        for option, cipher in CIPHERS.items():
            with self.subTest(cipher):
                said = self.ckpt("convert", "net.ckpt", "secret.ckpt", "--encrypt", option, "--out-key-file", "key")
                self.assertEqual(said, f"wrote secret.ckpt: ckpt, 6 tensors, 1 string, 72 B, encrypted with {cipher} and sealed\n")
                self.assertNotIn(b"Float32", self.read("secret.ckpt"))
                said = self.ckpt("verify", "secret.ckpt", "--key-env", "CKPT_TEST_KEY")
                self.assertEqual(said, f"ok: ckpt, 6 tensors, 1 string, 72 B, encrypted with {cipher} and sealed\n")
                self.assertEqual(self.ckpt("diff", "net.ckpt", "secret.ckpt", "--key-file", "key"), "equal: 7 entries\n")
                self.ckpt("convert", "secret.ckpt", "plain.ckpt", "--key-file", "key")
                self.assertEqual(self.read("plain.ckpt"), files.NET_CKPT)

    def test_ls(self):
        self.encrypt("sm4-cbc")
        plain, secret = self.ckpt("ls", "net.ckpt"), self.ckpt("ls", "secret.ckpt", "--key-file", "key")
        self.assertEqual(secret, plain[:-1] + ", encrypted with SM4-CBC and sealed\n")
        listing = self.ckpt("ls", "--json", "secret.ckpt", "--key-file", "key")
        size = len(self.read("secret.ckpt"))
        self.assertTrue(listing.startswith('{"format":"ckpt","cipher":"SM4-CBC","checksum":null,"sealed":true,"bytes":%d,' % size), listing)

    def test_without_key(self):
        for option, cipher in CIPHERS.items():
            self.encrypt(option)
            for arguments in (["ls", "secret.ckpt"], ["verify", "secret.ckpt"], ["cat", "secret.ckpt", "w"], ["convert", "secret.ckpt", "x.ckpt"],
                              ["diff", "net.ckpt", "secret.ckpt"], ["rekey", "secret.ckpt", "x.ckpt", "--out-key-file", "key"]):
                self.assert_fails(arguments, 1, f"secret.ckpt: the file is encrypted with {cipher}: say where its key is with "
                                                "--key-file, --key-env or --passphrase-env")
        self.assertEqual(self.names(), ["key", "net.ckpt", "secret.ckpt"])

    def test_wrong_key(self):
        for option in CIPHERS:
            self.encrypt(option)
            run = self.run_ckpt("verify", "secret.ckpt", "--key-env", "CKPT_TEST_WRONG")
            self.assertEqual((run.returncode, run.stdout), (1, b""))
            self.assertTrue(run.stderr.startswith(b"ckpt: secret.ckpt: the key is not the one that the file was encrypted with"), run.stderr)

    def test_key_that_is_none(self):
        self.encrypt()
        self.write("bad", b"xyz")
        why = "is no key file: a key is 32, 48 or 64 hexadecimal digits, or 16, 24 or 32 bytes"
        self.assert_fails(["ls", "secret.ckpt", "--key-file", "bad"], 2, f"bad: {why}")
        self.assert_fails(["ls", "secret.ckpt", "--key-file", "none"], 3, "none: cannot open: No such file or directory")
        self.assert_fails(["ls", "secret.ckpt", "--key-env", "CKPT_TEST_NONE"], 2, "there is no environment variable of that name: name the one that holds the key")
        self.assert_fails(["ls", "secret.ckpt", "--passphrase-env", "CKPT_TEST_NONE"], 2, "there is no environment variable of that name: name the one that holds the key")
        self.assert_fails(["ls", "secret.ckpt", "--key-file", "key", "--key-env", "CKPT_TEST_KEY"], 2,
                          "two keys are given for one file: name a file, a variable or a passphrase")
        self.write("long", KEY.encode())
        self.assert_fails(["convert", "net.ckpt", "x.ckpt", "--encrypt", "sm4-cbc", "--out-key-file", "long"], 2,
                          "x.ckpt: the key has 32 bytes; SM4-CBC takes 16 bytes")

    def test_key_from_a_pipe(self):
        self.encrypt()
        reading, writing = os.pipe()
        os.write(writing, self.read("key"))
        os.close(writing)
        run = self.run_ckpt("verify", "secret.ckpt", "--key-file", "/dev/stdin", stdin=reading)
        os.close(reading)
        self.assertEqual((run.returncode, run.stderr), (0, b""))

    def test_diff_with_the_key_of_each(self):
        self.encrypt()
        self.ckpt("rekey", "secret.ckpt", "other.ckpt", "--key-file", "key", "--out-passphrase-env", "CKPT_TEST_WORDS")
        a, b = ["--key-file", "key"], ["--b-passphrase-env", "CKPT_TEST_WORDS"]
        self.assertEqual(self.ckpt("diff", "secret.ckpt", "other.ckpt", *a, *b), "equal: 7 entries\n")
        self.assertEqual(self.ckpt("diff", "net.ckpt", "other.ckpt", *b), "equal: 7 entries\n")
        self.assertEqual(self.ckpt("diff", "secret.ckpt", "secret.ckpt", *a, "--b-key-env", "CKPT_TEST_KEY"), "equal: 7 entries\n")
        self.assertEqual(self.ckpt("diff", "other.ckpt", "secret.ckpt", "--passphrase-env", "CKPT_TEST_WORDS", "--b-key-file", "key"), "equal: 7 entries\n")
        for file, arguments in (("other.ckpt", ["secret.ckpt", "other.ckpt", *a]), ("secret.ckpt", ["secret.ckpt", "secret.ckpt", *a, *b])):
            run = self.run_ckpt("diff", *arguments)
            self.assertEqual((run.returncode, run.stdout), (1, b""))
            self.assertIn(f"ckpt: {file}: the key is not the one that the file was encrypted with".encode(), run.stderr)
        plain = "net.ckpt: the file is not encrypted: leave the key out"
        self.assert_fails(["diff", "secret.ckpt", "net.ckpt", *a, *b], 1, plain)
        self.assert_fails(["diff", "net.ckpt", "other.ckpt", *a, *b], 1, plain)
        self.assert_fails(["diff", "net.ckpt", "net.ckpt", *b], 1, plain)
        needed = "secret.ckpt: the file is encrypted with AES-GCM: say where its key is with --key-file, --key-env or --passphrase-env"
        self.assert_fails(["diff", "secret.ckpt", "other.ckpt", *b], 1, needed)
        self.assert_fails(["diff", "net.ckpt", "other.ckpt", *b, "--b-key-file", "key"], 2,
                          "two keys are given for one file: name a file, a variable or a passphrase")

    def test_one_key_from_a_pipe_for_both(self):
        self.encrypt()
        self.encrypt("aes-cbc", "other.ckpt")
        for first in ("secret.ckpt", "net.ckpt"):
            reading, writing = os.pipe()
            os.write(writing, self.read("key"))
            os.close(writing)
            run = self.run_ckpt("diff", first, "other.ckpt", "--key-file", "/dev/stdin", stdin=reading)
            os.close(reading)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"equal: 7 entries\n", b""))

    def test_a_seal_stands_for_a_checksum(self):
        self.encrypt()
        key = ["--key-file", "key", "--require-crc"]
        self.assertTrue(self.ckpt("verify", "secret.ckpt", *key).endswith(", encrypted with AES-GCM and sealed\n"))
        self.write("secret.ckpt", self.read("secret.ckpt")[: 48 + len(files.NET_CKPT)])
        self.assert_fails(["verify", "secret.ckpt", *key, "--allow-unsealed"], 1, "secret.ckpt: it has no CRC-32, which --require-crc asks for")

    def test_key_for_a_plain_file(self):
        self.assert_fails(["diff", "net.ckpt", "net.ckpt", "--key-file", "key"], 1, "net.ckpt: neither file is encrypted: leave the key out")
        self.assert_fails(["verify", "net.ckpt", "--key-file", "key"], 1, "net.ckpt: the file is not encrypted: leave the key out")
        self.assert_fails(["rekey", "net.ckpt", "x.ckpt", "--out-key-file", "key"], 1,
                          "net.ckpt: the file is not encrypted; to encrypt it, use `ckpt convert --encrypt`")
        self.assert_fails(["key", "net.ckpt", "--passphrase-env", "CKPT_TEST_WORDS"], 1,
                          "net.ckpt: the file is not encrypted: it has no key")

    def test_what_makes_no_sense(self):
        out = ["convert", "net.ckpt", "x.ckpt"]
        self.assert_fails([*out, "--encrypt", "aes-gcm"], 2, "say where the key of OUT is: --out-key-file, --out-key-env or --out-passphrase-env")
        self.assert_fails([*out, "--out-key-file", "key"], 2, "a key is given for OUT, but no cipher: say --encrypt aes-gcm, aes-cbc or sm4-cbc")
        self.assert_fails([*out, "--encrypt", "aes-gcm", "--out-key-file", "key", "--crc"], 2,
                          "--encrypt and --crc exclude each other: an encrypted file is sealed")
        self.assert_fails(["convert", "net.ckpt", "x.safetensors", "--encrypt", "aes-gcm", "--out-key-file", "key"], 2,
                          "--encrypt: only ckpt files are encrypted; name OUT so, or say --to ckpt")
        self.assertEqual(self.names(), ["key", "net.ckpt"])

    def test_unsealed(self):
        self.encrypt()
        sealed = self.read("secret.ckpt")
        self.write("secret.ckpt", sealed[: 48 + len(files.NET_CKPT)])
        self.assert_fails(["verify", "secret.ckpt", "--key-file", "key"], 1,
                          "secret.ckpt: the file is not sealed: nothing shows that its blocks are all there and in place. MindSpore's own files "
                          "are such; where you trust it, say --allow-unsealed")
        said = self.ckpt("verify", "secret.ckpt", "--key-file", "key", "--allow-unsealed")
        self.assertEqual(said, "ok: ckpt, 6 tensors, 1 string, 72 B, encrypted with AES-GCM, not sealed\n")
        self.assertIn('"cipher":"AES-GCM","checksum":null,"sealed":false,', self.ckpt("ls", "--json", "secret.ckpt", "--key-file", "key", "--allow-unsealed"))
        self.ckpt("rekey", "secret.ckpt", "secret.ckpt", "--key-file", "key", "--allow-unsealed", "--out-key-file", "key")
        self.assertEqual(self.ckpt("verify", "secret.ckpt", "--key-file", "key"), "ok: ckpt, 6 tensors, 1 string, 72 B, encrypted with AES-GCM and sealed\n")

    def test_rekey_keeps_the_plain_bytes(self):
        self.encrypt()
        said = self.ckpt("rekey", "secret.ckpt", "other.ckpt", "--key-file", "key", "--out-passphrase-env", "CKPT_TEST_WORDS", "--encrypt", "aes-cbc")
        self.assertEqual(said, "wrote other.ckpt: encrypted with AES-CBC and sealed\n")
        self.ckpt("convert", "other.ckpt", "plain.ckpt", "--passphrase-env", "CKPT_TEST_WORDS")
        self.assertEqual(self.read("plain.ckpt"), files.NET_CKPT)
        said = self.ckpt("rekey", "other.ckpt", "other.ckpt", "--passphrase-env", "CKPT_TEST_WORDS", "--out-key-file", "key")
        self.assertEqual(said, "wrote other.ckpt: encrypted with AES-CBC and sealed\n")

    def test_rekey_in_place_whatever_the_name(self):
        self.encrypt()
        self.ckpt("rekey", "secret.ckpt", "secret.enc", "--key-file", "key", "--out-key-file", "key")
        said = self.ckpt("rekey", "secret.enc", "secret.enc", "--key-file", "key", "--out-passphrase-env", "CKPT_TEST_WORDS")
        self.assertEqual(said, "wrote secret.enc: encrypted with AES-GCM and sealed\n")
        self.assertNotIn("secret.enc.ckpt", self.names())
        self.ckpt("verify", "secret.enc", "--passphrase-env", "CKPT_TEST_WORDS")
        self.assertEqual(self.run_ckpt("verify", "secret.enc", "--key-file", "key").returncode, 1)

    def test_rekey_keeps_the_structure_in_the_seal(self):
        listing = self.ckpt("ls", "net.ckpt")[:-1] + ", encrypted with AES-CBC and sealed\n"
        for source, cut in (("sealed", None), ("unsealed", 48 + len(files.NET_CKPT))):
            self.encrypt()
            self.write("secret.ckpt", self.read("secret.ckpt")[:cut])
            self.ckpt("rekey", "secret.ckpt", "other.ckpt", "--key-file", "key", "--allow-unsealed", "--out-key-file", "key", "--encrypt", "aes-cbc")
            self.ckpt("verify", "other.ckpt", "--key-file", "key")
            content = bytearray(self.read("other.ckpt"))
            content[40] ^= 1  # of its only block: whoever lists it and has to look there finds it damaged
            self.write("other.ckpt", bytes(content))
            if source == "sealed":
                self.assertEqual(self.ckpt("ls", "other.ckpt", "--key-file", "key"), listing)
            else:
                self.assert_fails(["ls", "other.ckpt", "--key-file", "key"], 1,
                                  "other.ckpt: block 1 of 1 is damaged: its bytes are not those that were written, at byte 0")

    def test_the_key_of_a_passphrase(self):
        self.ckpt("convert", "net.ckpt", "a.ckpt", "--encrypt", "aes-gcm", "--out-passphrase-env", "CKPT_TEST_WORDS")
        self.ckpt("convert", "net.ckpt", "b.ckpt", "--encrypt", "sm4-cbc", "--out-passphrase-env", "CKPT_TEST_WORDS")
        a = self.ckpt("key", "a.ckpt", "--passphrase-env", "CKPT_TEST_WORDS").strip()
        b = self.ckpt("key", "b.ckpt", "--passphrase-env", "CKPT_TEST_WORDS").strip()
        self.assertRegex(a, r"\A[0-9a-f]{64}\Z")
        self.assertRegex(b, r"\A[0-9a-f]{32}\Z")
        for name, digits in (("a.ckpt", a), ("b.ckpt", b)):
            self.write("derived", digits.encode())
            self.assertTrue(self.ckpt("verify", name, "--key-file", "derived").startswith("ok: "))
            run = self.run_ckpt("key", name, "--passphrase-env", "CKPT_TEST_WRONG")
            self.assertEqual((run.returncode, run.stdout), (1, b""))
            self.assertIn(b"the key is not the one that the file was encrypted with", run.stderr)

    def test_what_is_not_encrypted_any_more_is_said(self):
        self.encrypt()
        said = self.ckpt("convert", "secret.ckpt", "secret.ckpt", "--key-file", "key")
        self.assertEqual(said, "wrote secret.ckpt: ckpt, 6 tensors, 1 string, 72 B, not encrypted any more\n")
        self.ckpt("convert", "secret.ckpt", "crc.ckpt", "--crc")
        said = self.ckpt("convert", "crc.ckpt", "plain.ckpt")
        self.assertEqual(said, "wrote plain.ckpt: ckpt, 6 tensors, 1 string, 72 B, without its checksum\n")
        said = self.ckpt("convert", "crc.ckpt", "plain.safetensors")
        self.assertTrue(said.endswith(", without its checksum\n"), said)
        self.ckpt("convert", "crc.ckpt", "crc.safetensors", "--crc")
        said = self.ckpt("convert", "crc.safetensors", "same.safetensors")
        self.assertFalse(said.endswith(", without its checksum\n"), said)
        said = self.ckpt("convert", "crc.safetensors", "some.safetensors", "--rename", "^.*$=x$&", "--only", "w")
        self.assertTrue(said.endswith(", without its checksum\n"), said)

    def test_damage(self):
        self.encrypt("aes-cbc")
        content = bytearray(self.read("secret.ckpt"))
        content[40] ^= 1
        self.write("secret.ckpt", bytes(content))
        self.assert_fails(["verify", "secret.ckpt", "--key-file", "key"], 1,
                          "secret.ckpt: block 1 of 1 is damaged: its bytes are not those that were written, at byte 0")
        self.write("x.ckpt", b"old")
        self.assert_fails(["convert", "secret.ckpt", "x.ckpt", "--key-file", "key"], 1,
                          "secret.ckpt: block 1 of 1 is damaged: its bytes are not those that were written, at byte 0")
        self.assertEqual(self.read("x.ckpt"), b"old")

    def test_large_file_is_converted_block_by_block(self):
        size = 150 << 20
        self.write("big.safetensors", files.safetensors([("a", "U8", [size], b"\1" * size), ("b", "U8", [3], b"xyz")]))
        for option in ("aes-gcm", "aes-cbc"):
            self.ckpt("convert", "big.safetensors", "big.ckpt", "--encrypt", option, "--out-key-file", "key")
            self.ckpt("rekey", "big.ckpt", "big.ckpt", "--key-file", "key", "--out-key-env", "CKPT_TEST_WRONG")
            self.assertEqual(self.ckpt("diff", "big.ckpt", "big.safetensors", "--key-env", "CKPT_TEST_WRONG"), "equal: 2 entries\n")
