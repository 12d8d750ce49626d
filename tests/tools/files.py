"""Writes checkpoint files by the letter of their formats, good and bad ones, without the library that is tested."""
import json
import struct


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor_proto(kind: str, shape: list[int], content: bytes) -> bytes:
    return b"".join(b"\x08" + varint(extent) for extent in shape) + field(2, kind.encode()) + field(3, content)


def ckpt_entry(name: str, kind: str, shape: list[int], content: bytes) -> bytes:
    return field(1, field(1, name.encode()) + field(2, tensor_proto(kind, shape, content)))


def ckpt_string(name: str, text: str) -> bytes:
    return ckpt_entry(name, "str", [0], (text or "\0").encode("utf-32-le", "surrogatepass"))


def ckpt_map(name: str, keys: list[int]) -> bytes:
    """A map parameter of int32 keys with one float32 of zeros each."""
    count = len(keys)
    parts = [("int32", [count], struct.pack(f"<{count}i", *keys)), ("float32", [count, 1], bytes(4 * count)), ("int32", [count], bytes(4 * count))]
    return field(1, field(1, name.encode()) + field(3, b"".join(field(1, tensor_proto(*part)) for part in parts)))


def safetensors(tensors: list[tuple[str, str, list[int], bytes]], metadata: dict[str, str] | None = None) -> bytes:
    header: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    data = b""
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def read_safetensors(content: bytes) -> tuple[dict, bytes]:
    """Header and data."""
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


# One tensor and what a person asks about it: the network of most tests.
NET = [
    ("conv.weight", "Float32", [2, 3], floats(0, 1, 2, 3, 4, 5)),
    ("conv.bias", "Float32", [2], floats(-1, 1)),
    ("fc.weight", "Float32", [3, 2], floats(5, 4, 3, 2, 1, 0)),
    ("steps", "Int64", [], struct.pack("<q", 7)),
    ("mask", "Bool", [4], bytes([1, 0, 0, 1])),
    ("nothing", "Int8", [0, 3], b""),
]
NET_CKPT = b"".join(ckpt_entry(*entry) for entry in NET) + ckpt_string("note", "día")
