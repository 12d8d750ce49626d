#!/usr/bin/env python3
"""Writes small files that reach every branch of both readers, good ones and refused ones, as a start for the fuzzers.

usage: make_seeds.py FOLDER      makes FOLDER/ckpt and FOLDER/safetensors
"""
import json
import pathlib
import struct
import sys


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def text(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(dims: list[int], kind: bytes, content: bytes, packed: bool = False) -> bytes:
    extents = text(1, b"".join(map(varint, dims))) if packed else b"".join(number(1, dim) for dim in dims)
    return extents + text(2, kind) + text(3, content)


def entry(name: bytes, value: bytes, field: int = 2) -> bytes:
    return text(1, text(1, name) + text(field, value))


def string(value: str) -> bytes:
    return tensor([0], b"str", value.encode("utf-32-le") or bytes(4))


WIDTHS = {
    "Bool": 1, "Int8": 1, "UInt8": 1, "Int4": 1, "Int16": 2, "UInt16": 2, "Float16": 2, "BFloat16": 2, "Int32": 4,
    "UInt32": 4, "Float32": 4, "Int64": 8, "UInt64": 8, "Float64": 8, "Complex64": 8, "Complex128": 16,
}
FOUR = tensor([1], b"Float32", bytes(4))
GROUP = varint(9 << 3 | 3) + number(1, 1) + varint(9 << 3 | 4)
MAP = b"".join(
    text(1, part)
    for part in [tensor([2], b"int32", bytes(8)), tensor([2, 2], b"float32", bytes(16)), tensor([2], b"int32", bytes(8))]
)

CKPT = {
    "empty": b"",
    "every_dtype": b"".join(entry(name.encode(), tensor([2, 1], name.encode(), bytes([0, 1] * width))) for name, width in WIDTHS.items()),
    "shapes": entry(b"scalar", tensor([], b"Int64", bytes(8))) + entry(b"none", tensor([0, 3], b"Int64", b""))
    + entry(b"zero", tensor([0], b"Float32", b"")) + entry(b"also_scalar", tensor([0], b"Float32", bytes(4))) + entry(b"", FOUR),
    "strings": entry(b"s", string("d\u00eda \U0001f600")) + entry(b"e", string("")) + entry(b"z", string("a\0\0")),
    "surrogate": entry(b"s", tensor([0], b"str", struct.pack("<I", 0xD800))),
    "chunks": entry(b"a", tensor([4], b"Int8", b"ab")) * 2 + entry(b"b", FOUR),
    "string_chunks": entry(b"s", string("ab")) * 2,
    "map": entry(b"m", MAP, field=3) * 2 + entry(b"t", FOUR),
    "packed_dims": entry(b"p", tensor([2, 2], b"Int16", bytes(8), packed=True)),
    "unknown_fields": number(5, 7) + GROUP + text(1, text(1, b"a") + GROUP + text(2, FOUR + text(2000, b"pad") + varint(9 << 3 | 1) + bytes(8)))
    + varint(9 << 3 | 5) + bytes(4),
    "long_varints": b"\x8a\x80\x00" + varint(len(text(1, b"a") + text(2, FOUR))) + text(1, b"a") + text(2, FOUR),
    "two_values": text(1, text(1, b"a") + text(2, FOUR)) + text(1, text(2, FOUR) + text(1, b"b")),
    "value_order": text(1, text(2, text(3, bytes(4)) + text(2, b"Float32") + number(1, 1)) + text(1, b"a")),
    "aligned": text(1, text(1, b"a") + text(2, number(1, 1) + text(2, b"Float32") + text(2000, bytes(40)) + text(3, bytes(4)))),
    "trailer": entry(b"a", FOUR) + b"crc_num" + (0x12345678).to_bytes(10, "big"),
    "false_trailer": entry(b"a", tensor([17], b"Int8", b"crc_num" + bytes(10))) + text(2000, b""),
    "short_content": entry(b"a", tensor([3], b"Float32", bytes(8))),
    "huge_dims": entry(b"a", tensor([2**31, 2**31, 2**31], b"Float32", b"")),
    "negative_dim": entry(b"a", tensor([2**64 - 1], b"Int8", b"")),
    "zero_times_huge": entry(b"a", tensor([0, 2**62, 2**62], b"Int8", b"")),
    "no_tag": text(1, text(2, FOUR)),
    "no_value": text(1, text(1, b"a")),
    "both_values": text(1, text(1, b"a") + text(2, FOUR) + text(3, MAP)),
    "twice": entry(b"a", FOUR) + entry(b"b", FOUR) + entry(b"a", FOUR),
    "not_utf8": entry(b"\xff", FOUR),
    "unknown_dtype": entry(b"a", tensor([1], b"Float8", bytes(1))),
    "bad_bool": entry(b"a", tensor([1], b"Bool", b"\x02")),
    "wrong_wire_type": text(1, number(1, 1)),
    "deep_groups": (varint(9 << 3 | 3) * 101) + (varint(9 << 3 | 4) * 101),
    "open_group": varint(9 << 3 | 3),
    "field_zero": b"\x00\x00",
    "cut": entry(b"abc", FOUR)[:-3],
    "length_past_end": b"\x0a\xff\xff\xff\xff\x0f",
    "eleven_byte_varint": b"\x0a" + b"\x80" * 10 + b"\x01",
}


def safetensors(header: object, data: bytes = b"", pad: bool = True) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    if pad:
        head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def item(kind: str, shape: list[int], begin: int, end: int) -> dict:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


BITS = {
    "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F32": 32, "U32": 32, "I32": 32, "BF16": 16, "F16": 16, "U16": 16, "I16": 16,
    "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8, "F8_E8M0": 8, "F8_E4M3": 8, "F8_E5M2": 8, "I8": 8, "U8": 8, "F6_E3M2": 6,
    "F6_E2M3": 6, "F4": 4, "BOOL": 8,
}


def every_dtype() -> bytes:
    header, end = {}, 0
    for kind, bits in BITS.items():
        header[kind] = item(kind, [2, 2], end, end := end + bits // 2)
    return safetensors(header, bytes(end))


ONE = item("F32", [1], 0, 4)
SAFETENSORS = {
    "empty": safetensors({}),
    "every_dtype": every_dtype(),
    "metadata": safetensors({"__metadata__": {"format": "pt", "n\u00f3te": "d\u00eda \U0001f600", "": ""}, "a": ONE}, bytes(4)),
    "int4": safetensors({"__metadata__": {"format": "ms", "q": "Int4"}, "q": item("I8", [3], 0, 3)}, bytes(3)),
    "shapes": safetensors({"a": item("F32", [], 0, 4), "b": item("F32", [0, 3], 4, 4), "": item("F32", [1, 1, 1, 1, 1], 4, 8)}, bytes(8)),
    "escapes": safetensors(rb'{"\u0061\n\"\\\/\ud83d\ude00":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "blanks": safetensors(b' {\n"a" : {"shape":[ ] ,"extra":[1,{"b":null}],\t"data_offsets":[0,1],"dtype":"U8"},"__metadata__":null } ', b"x"),
    "unpadded": safetensors({"a": ONE}, bytes(4), pad=False),
    "any_order": safetensors({"b": item("U8", [2], 1, 3), "a": item("U8", [1], 0, 1)}, b"xyz"),
    "hole": safetensors({"a": item("U8", [1], 0, 1), "b": item("U8", [1], 2, 3)}, b"xyz"),
    "overlap": safetensors({"a": item("U8", [2], 0, 2), "b": item("U8", [2], 1, 3)}, b"xyz"),
    "backwards": safetensors({"a": item("U8", [2], 2, 0)}, b"xy"),
    "left_over": safetensors({"a": ONE}, bytes(5)),
    "too_short": safetensors({"a": ONE}, bytes(3)),
    "wrong_size": safetensors({"a": item("F32", [2], 0, 4)}, bytes(4)),
    "overflow": safetensors({"a": item("F64", [2**63, 2], 0, 0)}),
    "half_byte": safetensors({"a": item("F4", [3], 0, 2)}, bytes(2)),
    "unknown_dtype": safetensors({"a": item("F7", [1], 0, 1)}, b"x"),
    "missing_field": safetensors({"a": {"dtype": "U8", "shape": [1]}}),
    "doubled_field": safetensors(b'{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "doubled_name": safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', b"xy"),
    "number_in_metadata": safetensors({"__metadata__": {"n": 1}}),
    "float_shape": safetensors(b'{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', b"x"),
    "negative": safetensors(b'{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', b"x"),
    "leading_zero": safetensors(b'{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}', b"x"),
    "trailing_comma": safetensors(b'{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}', b"x"),
    "lone_surrogate": safetensors(rb'{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "raw_control": safetensors(b'{"a\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "not_utf8": safetensors(b'{"\xff":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"),
    "nul_padding": safetensors(b"{}" + bytes(6)),
    "deep": safetensors(b'{"a":{"x":' + b"[" * 130 + b"]" * 130 + b"}}"),
    "not_json": safetensors(b"hello   "),
    "header_past_end": struct.pack("<Q", 1000) + b"{}",
    "header_too_large": struct.pack("<Q", 100_000_001) + b"{}",
    "seven_bytes": b"\x02" + bytes(6),
}


def main() -> int:
    for name, files in {"ckpt": CKPT, "safetensors": SAFETENSORS}.items():
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
