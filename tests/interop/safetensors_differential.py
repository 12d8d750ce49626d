#!/usr/bin/env python3
"""Random and damaged safetensors files: what this library makes of each must be what the safetensors crate makes of it.

usage: safetensors_differential.py [--cases N] [--seed N] [--keep FOLDER] [--probe PROGRAM]

Both must accept or both refuse, and where they accept agree on every name, dtype, shape and byte. This library refuses more in four
cases, all documented at ckpt::safetensors_reader, and only there may they differ: a name or metadata key that comes twice, a
shape that passes 2^63 - 1, a tensor entry written as an array, a dtype written as an object.
Needs safetensors==0.8.0. Compiles safetensors_probe.cpp with $CXX (g++) unless --probe names it. Last line: N passed, N failed
"""

import argparse
import collections
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import safetensors

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The crate's name -> (ours, bits), in the order of the crate's list.
DTYPES = {
    "BOOL": ("bool", 8), "F4": ("float4_e2m1", 4), "F6_E2M3": ("float6_e2m3", 6), "F6_E3M2": ("float6_e3m2", 6),
    "U8": ("uint8", 8), "I8": ("int8", 8), "F8_E5M2": ("float8_e5m2", 8), "F8_E4M3": ("float8_e4m3", 8),
    "F8_E8M0": ("float8_e8m0", 8), "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8), "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "I16": ("int16", 16), "U16": ("uint16", 16), "F16": ("float16", 16), "BF16": ("bfloat16", 16), "I32": ("int32", 32),
    "U32": ("uint32", 32), "F32": ("float32", 32), "C64": ("complex64", 64), "F64": ("float64", 64), "I64": ("int64", 64),
    "U64": ("uint64", 64),
}

TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\n", b"\t", b"\r", b"\0", b"\x0b", b"null", b"true", b"false", b"nul",
    b"0", b"1", b"-", b"-0", b"-1", b"01", b"1.0", b"1.", b".5", b"1e2", b"1E+2", b"1e", b"1e400", b"0e400", b"-1e400", b"1e-400",
    b"18446744073709551615", b"18446744073709551616", b"9223372036854775807", b"9223372036854775808", b"4294967296", b"NaN",
    b"\\u0041", b"\\u00", b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\n", b"\\x", b"\\/", b"\x7f", b"\x1f", b"\xc3\xad", b"\xc3",
    b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b'"dtype"', b'"shape"', b'"data_offsets"', b'"__metadata__"',
    b'"__metadata__":null', b'"__metadata__":{}', b'"U8"', b'"F32"', b'"F4"', b'"f32"', b"[0,0]", b"[0,1]", b"[0]", b"[]", b"{}",
    b',"x":[{"y":[]}]', b',"x":"\\u00e9"', b"[" * 127, b"]" * 127, b"//", b"'",
]


class Value:
    """JSON text that is put together here, so that it can be written in any of its many spellings."""

    def __init__(self, rng):
        self.rng = rng
        self.loose = rng.random() < 0.4  # blanks and needless escapes

    def blank(self):
        return self.rng.choice(["", "", " ", "\n", "\t", "\r", "  "]) if self.loose else ""

    def string(self, text):
        if not self.loose:
            return json.dumps(text, ensure_ascii=self.rng.random() < 0.2)
        out = ""
        for character in text:
            if self.rng.random() < 0.1:
                units = character.encode("utf-16-be")
                out += "".join("\\u%04x" % unit for unit in struct.unpack(">%dH" % (len(units) // 2), units))
            elif character == "/" and self.rng.random() < 0.5:
                out += "\\/"
            else:
                out += json.dumps(character, ensure_ascii=False)[1:-1]
        return '"' + out + '"'

    def array(self, items):
        return "[" + self.blank() + (self.blank() + "," + self.blank()).join(items) + self.blank() + "]"

    def object(self, members):
        pairs = [self.string(key) + self.blank() + ":" + self.blank() + value for key, value in members]
        return "{" + self.blank() + (self.blank() + "," + self.blank()).join(pairs) + self.blank() + "}"

    def anything(self, depth=0):
        kind = self.rng.randrange(9 if depth < 4 else 6)
        if kind == 0:
            return self.rng.choice(["null", "true", "false"])
        if kind in (1, 2):
            return self.rng.choice(["0", "-0", "7", "-3", "1.5", "1e5", "2E-3", "1e308", "1e-999", "123456789012345678901234567890"])
        if kind < 6:
            return self.string(random_name(self.rng))
        if kind < 8:
            return self.array([self.anything(depth + 1) for _ in range(self.rng.randrange(4))])
        return self.object([(random_name(self.rng), self.anything(depth + 1)) for _ in range(self.rng.randrange(4))])


def random_name(rng):
    kind = rng.randrange(10)
    if kind == 0:
        return ""
    if kind == 1:
        return rng.choice(["dtype", "shape", "data_offsets", "format", "crc_num", "q"])
    if kind == 2:
        return "".join(chr(rng.choice([rng.randrange(0x20), rng.randrange(0x20, 0x100), 0x20AC, 0x1F600, 0x22, 0x5C, 0x2F])) for _ in range(5))
    return "layer.%d.%s" % (rng.randrange(50), rng.choice(["weight", "bias", "día", "w" * 40]))


def random_shape(rng, dtype):
    bits = DTYPES[dtype][1]
    shape = [rng.choice([0, 1, 1, 2, 3, 4, 8]) for _ in range(rng.randrange(4))]
    if bits % 8:
        shape.append(rng.choice([4, 8, 4, 1]))
    return shape


def content_size(dtype, shape):
    bits = DTYPES[dtype][1]
    for extent in shape:
        bits *= extent
    return bits // 8


def valid_file(rng):
    """A file that should be accepted (but for a sub-byte tensor that ends inside a byte, or a name given twice)."""
    text = Value(rng)
    tensors = []
    at = 0
    for name in dict.fromkeys(random_name(rng) for _ in range(rng.randrange(6))):
        dtype = rng.choice(list(DTYPES))
        shape = random_shape(rng, dtype)
        tensors.append([name, dtype, shape, at, at + content_size(dtype, shape)])
        at = tensors[-1][4]
    if rng.random() < 0.3:
        damage(rng, tensors)
    rng.shuffle(tensors)
    members = []
    for name, dtype, shape, begin, end in tensors:
        fields = [("dtype", text.string(dtype)), ("shape", text.array([str(extent) for extent in shape])),
                  ("data_offsets", text.array([str(begin), str(end)]))]
        if rng.random() < 0.1:
            fields.append((rng.choice(["x", "", "extra"]), text.anything()))
        if rng.random() < 0.02:
            fields.append(rng.choice(fields))
        if rng.random() < 0.02:
            fields.pop(rng.randrange(len(fields)))
        if text.loose:
            rng.shuffle(fields)
        members.append((name, text.object(fields)))
    if rng.random() < 0.6:
        pairs = [(random_name(rng), random_name(rng)) for _ in range(rng.randrange(4))]
        pairs += [(member[0], "Int4") for member in members if rng.random() < 0.2]
        value = text.object([(key, text.string(value)) for key, value in dict(pairs).items()])
        members.insert(rng.randrange(len(members) + 1), ("__metadata__", rng.choice([value, value, value, "null"])))
    header = (text.blank() + text.object(members) + text.blank()).encode()
    if rng.random() < 0.8:
        header += b" " * (-len(header) % 8)
    data = bytes(rng.randrange(256) for _ in range(at))
    return header, data


def damage(rng, tensors):
    """Facts that do not fit together."""
    if not tensors:
        return
    tensor = rng.choice(tensors)
    kind = rng.randrange(5)
    if kind == 0:
        tensor[rng.choice([3, 4])] += rng.choice([-1, 1, 2, 1 << 32, 1 << 63])
    elif kind == 1 and tensor[2]:
        tensor[2][rng.randrange(len(tensor[2]))] = rng.choice([0, 1, 2, 5, 1 << 31, 1 << 32, 1 << 62, 1 << 63, (1 << 64) - 1, 1 << 64])
    elif kind == 2:
        tensor[1] = rng.choice(list(DTYPES))
    elif kind == 3:
        tensors.append([random_name(rng), "U8", [0], tensor[3], tensor[3]])
    else:
        tensors.append(list(tensor))


def mutate(rng, header):
    header = bytearray(header)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(len(header) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            header[at:at] = rng.choice(TOKENS)
        elif kind == 1:
            del header[at:at + rng.choice([1, 1, 1, 2, 8])]
        elif kind == 2 and at < len(header):
            header[at] ^= 1 << rng.randrange(8)
        elif kind == 3:
            size = rng.randrange(1, 40)
            header[at:at] = header[at - size if at > size else 0:at]
        elif kind == 4:
            token = rng.choice(TOKENS)
            header[at:at + rng.choice([0, 1, len(token)])] = token
        else:
            places = [i for i, byte in enumerate(header) if byte in b"0123456789"]
            if places:
                header[rng.choice(places)] = rng.choice(b"0123456789")
    return bytes(header)


def random_file(rng):
    header, data = valid_file(rng)
    if rng.random() < 0.5:
        header = mutate(rng, header)
    length = len(header)
    if rng.random() < 0.02:
        length = rng.choice([0, 1, length - 1, length + 1, length + len(data) + 1, 100_000_000, 100_000_001, 1 << 63, (1 << 64) - 1])
    if rng.random() < 0.03:
        data = rng.choice([data + b"x", data[:-1], b""])
    file = struct.pack("<Q", max(length, 0)) + header + data
    return file[:rng.randrange(12)] if rng.random() < 0.005 else file


class Pairs(list):
    pass


def header_of(file):
    size = struct.unpack("<Q", file[:8])[0]
    return json.loads(file[8:8 + size].decode(), object_pairs_hook=Pairs)


def refused_on_purpose(file):
    """Why this library refuses a file that the crate takes, or None where it has no reason."""
    header = header_of(file)
    for pairs in [header, *(value for key, value in header if key == "__metadata__" and value)]:
        if any(count > 1 for count in collections.Counter(key for key, _ in pairs).values()):
            return "a name twice"
    for key, value in header:
        if key == "__metadata__":
            continue
        if not isinstance(value, Pairs):
            return "an array for an entry"
        fields = dict(value)
        if isinstance(fields["dtype"], Pairs):
            return "an object for a dtype"
        product = 1
        for extent in fields["shape"]:
            product *= extent or 1
        if product >= 1 << 63:
            return "a shape past 2^63 - 1"
    return None


def crate(file):
    """What the crate makes of a file: a set of tensors with their bytes, or the error's text."""
    try:
        return {(name, DTYPES[tensor["dtype"]][0], tuple(tensor["shape"]), bytes(tensor["data"])) for name, tensor in safetensors.deserialize(file)}
    except safetensors.SafetensorError as error:
        return str(error)


def disagreement(file, line):
    """What is wrong with the probe's verdict on a file, or None; and how the case is to be counted."""
    verdict = json.loads(line)
    theirs = crate(file)
    if isinstance(theirs, str):
        return (None, "both refuse") if verdict[0] == "refused" else ("only the crate refuses: " + theirs, None)
    if verdict[0] == "refused":
        why = refused_on_purpose(file)
        return (None, "refused here: " + why) if why else ("only this library refuses: " + verdict[1], None)
    _, entries, metadata = verdict
    header = header_of(file)
    expected = next((dict(value or []) for key, value in header if key == "__metadata__"), {})
    if metadata != expected:
        return "the metadata differ", None
    ours = set()
    places = []
    for name, kind, dtype, shape, offset, size in entries:
        if kind == "string":
            continue
        if dtype == "int4" and metadata.get(name) == "Int4":
            dtype = "int8"
        places.append(offset)
        ours.add((name, dtype, tuple(shape), file[offset:offset + size]))
    if ours != theirs:
        return "the tensors differ", None
    if places != sorted(places):
        return "the tensors are not in the order of their data", None
    names = {name for name, *_ in theirs}
    strings = [key for key in metadata if key not in names and key not in ("format", "remove_redundancy", "crc_num")]
    if strings != [name for name, kind, *_ in entries if kind == "string"]:
        return "the strings differ", None
    return None, "both accept"


def compile_probe(folder):
    probe = os.path.join(folder, "probe")
    subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O1", "-g", f"-I{ROOT}/include", ROOT / "tests/interop/safetensors_probe.cpp",
                    "-o", probe], check=True)
    return probe


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--cases", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep")
    arguments.add_argument("--probe")
    arguments = arguments.parse_args()
    rng = random.Random(arguments.seed)
    counts = collections.Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        probe = arguments.probe or compile_probe(folder)
        for start in range(0, arguments.cases, 10_000):
            files = [random_file(rng) for _ in range(min(10_000, arguments.cases - start))]
            framed = b"".join(struct.pack("<Q", len(file)) + file for file in files)
            lines = subprocess.run([probe], input=framed, stdout=subprocess.PIPE, check=True).stdout.splitlines()
            assert len(lines) == len(files), f"{len(lines)} verdicts on {len(files)} files"
            for number, (file, line) in enumerate(zip(files, lines), start):
                wrong, kind = disagreement(file, line)
                counts[kind] += 1
                if not wrong:
                    continue
                failed += 1
                if arguments.keep:
                    pathlib.Path(arguments.keep, f"{arguments.seed}-{number}.safetensors").write_bytes(file)
                if failed <= 20:
                    print(f"case {number}: {wrong}\n  {file!r}\n  {line!r}", file=sys.stderr)
    for kind, count in sorted(counts.items(), key=str):
        print(f"{count:8} {kind or 'differ'}")
    print(f"{arguments.cases - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
