"""What the interop tests share: this library at their orders, and the two reference implementations, all with the same idea of a
checkpoint: a dict of names to Values or texts, whose Values compare bit for bit."""

import ctypes
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

os.environ["GLOG_v"] = "4"
warnings.simplefilter("ignore")

import mindspore as ms
import numpy as np
import safetensors
import safetensors.numpy
from mindspore import Parameter, Tensor
from mindspore.train import serialization

HELPER = os.environ["CKPT_INTEROP_HELPER"]
TOOL = os.environ["CKPT_INTEROP_TOOL"]


@dataclasses.dataclass(frozen=True)
class Value:
    dtype: str  # as this library names it
    shape: tuple
    content: bytes


# dtype: (bits, MindSpore's type, safetensors' name in the header, and for its Python writer)
DTYPES = {
    "bool": (8, ms.bool_, "BOOL", "bool"), "int8": (8, ms.int8, "I8", "int8"), "uint8": (8, ms.uint8, "U8", "uint8"),
    "int16": (16, ms.int16, "I16", "int16"), "uint16": (16, ms.uint16, "U16", "uint16"), "int32": (32, ms.int32, "I32", "int32"),
    "uint32": (32, ms.uint32, "U32", "uint32"), "int64": (64, ms.int64, "I64", "int64"), "uint64": (64, ms.uint64, "U64", "uint64"),
    "float16": (16, ms.float16, "F16", "float16"), "bfloat16": (16, ms.bfloat16, "BF16", "bfloat16"),
    "float32": (32, ms.float32, "F32", "float32"), "float64": (64, ms.float64, "F64", "float64"), "int4": (8, ms.qint4x2, None, None),
    "complex64": (64, ms.complex64, "C64", "complex64"), "complex128": (128, ms.complex128, None, None),
    "float8_e4m3": (8, None, "F8_E4M3", "float8_e4m3fn"), "float8_e5m2": (8, None, "F8_E5M2", "float8_e5m2"),
    "float8_e8m0": (8, None, "F8_E8M0", "float8_e8m0fnu"), "float8_e4m3fnuz": (8, None, "F8_E4M3FNUZ", "float8_e4m3fnuz"),
    "float8_e5m2fnuz": (8, None, "F8_E5M2FNUZ", "float8_e5m2fnuz"), "float6_e2m3": (6, None, "F6_E2M3", None),
    "float6_e3m2": (6, None, "F6_E3M2", None), "float4_e2m1": (4, None, "F4", "float4_e2m1fn_x2"),
}
MINDSPORE_WRITES = [name for name, row in DTYPES.items() if row[1] is not None]
MINDSPORE_READS = [name for name in MINDSPORE_WRITES if not name.startswith("complex")]
MINDSPORE_SAFETENSORS = [name for name in MINDSPORE_READS if name not in ("bfloat16", "int4")]
SAFETENSORS_READS = [name for name, row in DTYPES.items() if row[2]]
SAFETENSORS_WRITES = [name for name, row in DTYPES.items() if row[3]]
OF_MINDSPORE = {str(row[1]): name for name, row in DTYPES.items() if row[1] is not None}
OF_SAFETENSORS = {row[2]: name for name, row in DTYPES.items() if row[2]}


def size_of(dtype, shape):
    bits = DTYPES[dtype][0]
    for extent in shape:
        bits *= extent
    return bits // 8


def random_value(chance, dtype, shape):
    """Any bits at all, NaN payloads and denormal numbers among them; a bool is 0 or 1."""
    content = chance.randbytes(size_of(dtype, shape))
    return Value(dtype, tuple(shape), bytes(byte % 2 for byte in content) if dtype == "bool" else content)


class Case(unittest.TestCase):
    """A test with a folder of its own, and messages that do not print megabytes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ckpt_interop.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name):
        return str(self.folder / name)

    def assert_same(self, found, wanted, in_order=True):
        if in_order:
            self.assertEqual(list(found), list(wanted))
        else:
            self.assertEqual(sorted(found), sorted(wanted))
        for name, value in wanted.items():
            if isinstance(value, str):
                self.assertEqual(found[name], value, name)
            else:
                self.assertEqual((found[name].dtype, found[name].shape), (value.dtype, value.shape), name)
                self.assertTrue(found[name].content == value.content, f"{name}: other bytes")

    def assert_same_file(self, ours, theirs):
        with open(ours, "rb") as one, open(theirs, "rb") as other:
            one, other = one.read(), other.read()
        if one != other:
            same = next((i for i, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
            self.fail(f"{len(one)} bytes of ours, {len(other)} of theirs, alike up to byte {same}: "
                      f"{one[same:same + 20].hex()} and {other[same:same + 20].hex()}")


# ---------------------------------------------------------------- ours


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def as_hex(text):
    return text.encode().hex()


def ours_save(entries, path, *options, append=None):
    """options: "align=64", "keep_last", "crc", "cipher=AES-GCM", "key=...". entries may also be a list of pairs."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="ckpt_interop.") as folder:
        listing = os.path.join(folder, "list")
        with open(listing + ".bytes", "wb") as data:
            for name, value in entries.items() if isinstance(entries, dict) else entries:
                if isinstance(value, str):
                    lines.append(f"string\t{as_hex(name)}\t{as_hex(value)}")
                else:
                    lines.append(f"tensor\t{as_hex(name)}\t{value.dtype}\t{','.join(map(str, value.shape))}")
                    data.write(value.content)
        for name, value in (append or {}).items():
            if isinstance(value, str):
                lines.append(f"text\t{as_hex(name)}\t{as_hex(value)}")
            elif isinstance(value, bool):
                lines.append(f"bool\t{as_hex(name)}\t{int(value)}")
            elif isinstance(value, int):
                lines.append(f"{'uint' if value >= 2**63 else 'int'}\t{as_hex(name)}\t{value}")
            else:
                lines.append(f"float\t{as_hex(name)}\t{value!r}")
        with open(listing, "w") as file:
            file.writelines(line + "\n" for line in lines)
        run(HELPER, "save", listing, path, *options)


def ours_load(path, *options):
    """options: "copy", "cipher=AES-GCM", "key=...", "allow_unsealed"."""
    with tempfile.TemporaryDirectory(prefix="ckpt_interop.") as folder:
        bytes_path = os.path.join(folder, "bytes")
        lines = run(HELPER, "dump", path, bytes_path, *options).splitlines()
        entries = {}
        with open(bytes_path, "rb") as data:
            for line in lines:
                kind, name, *rest = line.split("\t")
                name = bytes.fromhex(name).decode()
                if kind == "string":
                    entries[name] = bytes.fromhex(rest[0]).decode()
                else:
                    shape = tuple(int(extent) for extent in rest[1].split(",")) if rest[1] else ()
                    entries[name] = Value(rest[0], shape, data.read(size_of(rest[0], shape)))
            assert not data.read(1)
        return entries


def ours_verify(path):
    run(HELPER, "verify", path)


def ours_copy(path, to, *options):
    run(HELPER, "copy", path, to, *options)


def ours_fill(path, to):
    run(HELPER, "fill", path, to)


# ---------------------------------------------------------------- MindSpore


def mindspore_tensor(value):
    if value.dtype.startswith("complex"):
        return Tensor(np.frombuffer(value.content, value.dtype).reshape(value.shape))
    if not value.content:
        return Tensor(np.zeros(value.shape, value.dtype))
    # Not a Tensor yet: Parameter() takes this as it is, and asks a Tensor for a numpy array, which bfloat16 has none of.
    return serialization.Tensor_.convert_bytes_to_tensor(value.content, value.shape, DTYPES[value.dtype][1])


def of_mindspore(tensor):
    return Value(OF_MINDSPORE[str(tensor.dtype)], tuple(tensor.shape), bytes(tensor.get_bytes()) if 0 not in tensor.shape else b"")


def mindspore_save(entries, path, **options):
    """entries may also be a list of pairs. Strings only with a dict."""
    kind = "safetensors" if path.endswith(".safetensors") else "ckpt"
    if isinstance(entries, dict):
        entries = {name: value if isinstance(value, str) else Parameter(mindspore_tensor(value), name="unused")
                   for name, value in entries.items()}
    else:
        entries = [{"name": name, "data": Tensor(mindspore_tensor(value))} for name, value in entries]
    ms.save_checkpoint(entries, path, format=kind, **options)
    serialization._wait_async_thread_save_ckpt()


def mindspore_load(path, **options):
    kind = "safetensors" if path.endswith(".safetensors") else "ckpt"
    return {name: value if isinstance(value, str) else of_mindspore(value)
            for name, value in ms.load_checkpoint(path, format=kind, **options).items()}


# ---------------------------------------------------------------- safetensors


def safetensors_save(entries, path, metadata=None):
    buffers, specs = [], {}
    for name, value in entries.items():
        buffers.append(ctypes.create_string_buffer(value.content, max(1, len(value.content))))
        shape = list(value.shape)
        if value.dtype == "float4_e2m1":
            shape[-1] //= 2  # this writer counts pairs
        specs[name] = safetensors.TensorSpec(dtype=DTYPES[value.dtype][3], shape=shape, data_ptr=ctypes.addressof(buffers[-1]),
                                             data_len=len(value.content))
    safetensors.serialize_file(specs, path, metadata or {"format": "ms"})


def safetensors_load(path):
    """In the order of the data."""
    with open(path, "rb") as file:
        content = file.read()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    found = {name: Value(OF_SAFETENSORS[value["dtype"]], tuple(value["shape"]), bytes(value["data"]))
             for name, value in safetensors.deserialize(content)}
    return {name: found[name] for name in header if name != "__metadata__"}


def safetensors_metadata(path):
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(size)).get("__metadata__")
