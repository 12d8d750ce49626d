#!/usr/bin/env python3
"""Random and damaged safetensors files: what this library makes of each must be what the safetensors crate makes of it, and what
it writes for the same tensors what the crate writes.

usage: safetensors_differential.py [--cases N] [--seed N] [--keep FOLDER] [--probe PROGRAM]

Both must accept or both refuse, and where they accept agree on every name, dtype, shape and byte. This library refuses more in four
cases, all documented at ckpt::safetensors_reader, and only there may they differ: a name or metadata key that comes twice, a
shape that passes 2^63 - 1, a tensor entry written as an array, a dtype written as an object.
Needs safetensors==0.8.0. Compiles safetensors_probe.cpp with $CXX (g++) unless --probe names it. Last line: N passed, N failed
"""

import argparse
import collections
import ctypes
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

# The crate's name -> (ours, bits, what its Python binding calls it), in the order of the crate's list.
DTYPES = {
    "BOOL": ("bool", 8, "bool"),
    "F4": ("float4_e2m1", 4, "float4_e2m1fn_x2"),
    "F6_E2M3": ("float6_e2m3", 6, None),
    "F6_E3M2": ("float6_e3m2", 6, None),
    "U8": ("uint8", 8, "uint8"),
    "I8": ("int8", 8, "int8"),
    "F8_E5M2": ("float8_e5m2", 8, "float8_e5m2"),
    "F8_E4M3": ("float8_e4m3", 8, "float8_e4m3fn"),
    "F8_E8M0": ("float8_e8m0", 8, "float8_e8m0fnu"),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8, "float8_e4m3fnuz"),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8, "float8_e5m2fnuz"),
    "I16": ("int16", 16, "int16"),
    "U16": ("uint16", 16, "uint16"),
    "F16": ("float16", 16, "float16"),
    "BF16": ("bfloat16", 16, "bfloat16"),
    "I32": ("int32", 32, "int32"),
    "U32": ("uint32", 32, "uint32"),
    "F32": ("float32", 32, "float32"),
    "C64": ("complex64", 64, "complex64"),
    "F64": ("float64", 64, "float64"),
    "I64": ("int64", 64, "int64"),
    "U64": ("uint64", 64, "uint64"),
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

    def doubtful(self):
        """Near the border of what JSON allows, on both sides."""
        kind = self.rng.randrange(4)
        if kind == 0:  # within the header and the entry
            depth = self.rng.choice([1, 100, 124, 125, 126, 127])
            return self.rng.choice(["[" * depth + "]" * depth, '{"":' * depth + "0" + "}" * depth])
        if kind == 1:
            unit = lambda: self.rng.choice(["\\ud7ff", "\\ud800", "\\udbff", "\\udc00", "\\uDFFF", "\\ue000", "\\u0000", "\\n", "x", ""])
            return '"' + unit() + unit() + unit() + '"'
        if kind == 2:  # not the last steps below the largest double, where serde_json rounds on the way and says infinity
            return self.rng.choice(["", "-"]) + self.rng.choice(["", "0", "00", "1", "01", "17976931348623", "9" * 30]) + self.rng.choice(
                ["", "", ".", ".0", ".00000000000001", ".5"]) + self.rng.choice(["", "e0", "E+00", "e-1", "e291", "e292", "e293", "e307", "e308", "e309", "e", "e+", "e-999999999999"])
        return self.rng.choice(["nul", "nulll", "TRUE", "Infinity", "NaN", "'x'", "/**/0", "0 0", "[0,]", "[,0]", '{"a"}', '{"a":0,}', "{0:0}", "[0", "0]"])

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
        at = max((tensor[4] for tensor in tensors), default=0) if rng.random() < 0.7 else at
    rng.shuffle(tensors)
    members = []
    for name, dtype, shape, begin, end in tensors:
        offsets = [str(begin), str(end)]
        if rng.random() < 0.01:
            offsets = rng.choice([[], offsets[:1], [*offsets, str(end)], offsets[::-1]])
        fields = [("dtype", text.string(dtype)), ("shape", text.array([str(extent) for extent in shape])),
                  ("data_offsets", text.array(offsets))]
        if rng.random() < 0.1:
            fields.append((rng.choice(["x", "", "extra"]), text.anything()))
        if rng.random() < 0.05:
            fields.append(("x", text.doubtful()))
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
    data = bytes(rng.randrange(256) for _ in range(at if 0 < at < 10_000 else 0))
    return header, data


def damage(rng, tensors):
    """Facts that do not fit together."""
    if not tensors:
        return
    tensor = rng.choice(tensors)
    kind = rng.randrange(7)
    if kind > 4:  # a hole or an overlap
        step = rng.choice([-2, -1, 1, 2, tensor[4] - tensor[3]])
        for later in tensors[tensors.index(tensor):] if kind == 5 else [tensor]:
            later[3] += step
            later[4] += step
    elif kind == 0:
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


def written_by_crate(file):
    """What the crate writes for the tensors that it reads from a file, or None where its binding lacks a dtype."""
    specs = {}
    alive = []
    for name, tensor in safetensors.deserialize(file):
        binding = DTYPES[tensor["dtype"]][2]
        if binding is None or tensor["dtype"] == "F4" and (not tensor["shape"] or tensor["shape"][-1] % 2):
            return None  # the binding counts F4 in pairs
        shape = list(tensor["shape"])
        if tensor["dtype"] == "F4":
            shape[-1] //= 2
        alive.append((ctypes.c_char * max(len(tensor["data"]), 1)).from_buffer_copy(bytes(tensor["data"]) or b"\0"))
        specs[name] = safetensors.TensorSpec(dtype=binding, shape=shape, data_ptr=ctypes.addressof(alive[-1]), data_len=len(tensor["data"]))
    return bytes(safetensors.serialize(specs, {"format": "ms"} if specs and "format" not in specs else None))


def rewrite(probe, files):
    """What this library writes for the tensors of files that it reads."""
    framed = b"".join(struct.pack("<Q", len(file)) + file for file in files)
    output = subprocess.run([probe, "--rewrite"], input=framed, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    while at < len(output):
        size = struct.unpack_from("<Q", output, at)[0]
        yield output[at + 8:at + 8 + size]
        at += 8 + size


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
    failed = set()

    def fail(number, wrong, file, answer):
        failed.add(number)
        if arguments.keep:
            pathlib.Path(arguments.keep, f"{arguments.seed}-{number}.safetensors").write_bytes(file)
        if len(failed) <= 20:
            print(f"case {number}: {wrong}\n  {file[:2000]!r}\n  {answer[:2000]!r}", file=sys.stderr)

    with tempfile.TemporaryDirectory() as folder:
        probe = arguments.probe or compile_probe(folder)
        for start in range(0, arguments.cases, 10_000):
            files = [random_file(rng) for _ in range(min(10_000, arguments.cases - start))]
            framed = b"".join(struct.pack("<Q", len(file)) + file for file in files)
            lines = subprocess.run([probe], input=framed, stdout=subprocess.PIPE, check=True).stdout.splitlines()
            assert len(lines) == len(files), f"{len(lines)} verdicts on {len(files)} files"
            accepted = []
            for number, (file, line) in enumerate(zip(files, lines), start):
                wrong, kind = disagreement(file, line)
                counts[kind] += 1
                if wrong:
                    fail(number, wrong, file, line)
                elif kind == "both accept":
                    accepted.append((number, file))
            for (number, file), ours in zip(accepted, rewrite(probe, [file for _, file in accepted]), strict=True):
                theirs = written_by_crate(file)
                counts["written by both" if theirs else "not written: the crate's binding lacks a dtype"] += 1
                if theirs and ours != theirs:
                    fail(number, "written differently", theirs, ours)
    for kind, count in sorted(counts.items(), key=str):
        print(f"{count:8} {kind or 'differ'}")
    print(f"{arguments.cases - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
