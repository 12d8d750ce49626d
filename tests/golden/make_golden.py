#!/usr/bin/env python3
"""Writes tests/golden/files by the real MindSpore 2.10.0 and safetensors 0.8.0; README.md beside it says what each holds.

usage: make_golden.py [--check] [DIRECTORY]

Needs Python 3.11 with mindspore==2.10.0 and safetensors==0.8.0 (tests/interop/run.sh makes such an environment). With --check
nothing is written: the files there must be what the references write now. Last line: N passed, N failed
"""

import ctypes
import itertools
import json
import os
import struct
import sys
import tempfile
import warnings

os.environ["GLOG_v"] = "4"
warnings.simplefilter("ignore")

import mindspore as ms
import numpy as np
import safetensors
from mindspore import Parameter, Tensor, nn
from mindspore.train import serialization

VERSIONS = {"mindspore": (ms.__version__, "2.10.0"), "safetensors": (safetensors.__version__, "0.8.0")}


def fill(name, size):
    """The bytes of every tensor here: byte i is (7 i + 3 + the sum of the name's UTF-8 bytes) mod 251; golden.cpp does the same."""
    start = 3 + sum(name.encode())
    return bytes((7 * i + start) % 251 for i in range(size))


def fill_bool(name, size):
    return bytes(byte % 2 for byte in fill(name, size))


# ---------------------------------------------------------------- MindSpore

# our name -> (MindSpore's type, bytes of an element)
MS_DTYPES = {
    "bool": (ms.bool_, 1), "int8": (ms.int8, 1), "uint8": (ms.uint8, 1), "int16": (ms.int16, 2), "uint16": (ms.uint16, 2),
    "int32": (ms.int32, 4), "uint32": (ms.uint32, 4), "int64": (ms.int64, 8), "uint64": (ms.uint64, 8),
    "float16": (ms.float16, 2), "bfloat16": (ms.bfloat16, 2), "float32": (ms.float32, 4), "float64": (ms.float64, 8),
    "int4": (ms.qint4x2, 1), "complex64": (ms.complex64, 8), "complex128": (ms.complex128, 16),
}
NUMPY_ONLY = ("complex64", "complex128")  # convert_bytes_to_tensor does not know them


def ms_tensor(name, dtype, shape):
    kind, width = MS_DTYPES[dtype]
    size = width * int(np.prod(shape, dtype=np.int64))
    content = fill_bool(name, size) if dtype == "bool" else fill(name, size)
    if dtype in NUMPY_ONLY:
        return Tensor(np.frombuffer(content, dtype).reshape(shape))
    if 0 in shape:
        return Tensor(np.zeros(shape, dtype))
    return serialization.Tensor_.convert_bytes_to_tensor(content, tuple(shape), kind)


def named(name, dtype, shape):
    return {"name": name, "data": Tensor(ms_tensor(name, dtype, shape))}


def ms_save(save_object, suffix=".ckpt", **options):
    """The bytes of the file that mindspore.save_checkpoint writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file" + suffix)
        ms.save_checkpoint(save_object, path, **options)
        serialization._wait_async_thread_save_ckpt()
        with open(path, "rb") as file:
            return file.read()


class LeNet(nn.Cell):
    """LeNet-5 with fewer channels: the same kinds of layers and names, 13 KB instead of 247 KB."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(2, 3, 5, pad_mode="valid", has_bias=True)
        self.norm = nn.BatchNorm2d(3)
        self.fc1 = nn.Dense(48, 40)
        self.fc2 = nn.Dense(40, 20)
        self.fc3 = nn.Dense(20, 10)

    def construct(self, x):
        return x


def lenet():
    net = LeNet()
    for parameter in net.get_parameters():
        size = 4 * int(np.prod(parameter.shape))
        parameter.set_data(Tensor(np.frombuffer(fill(parameter.name, size), np.float32).reshape(parameter.shape)))
    return net


SHAPES = {
    "scalar": [], "one": [1], "vector": [3], "matrix": [2, 3], "image": [2, 3, 4], "eight": [1, 2, 1, 1, 2, 1, 1, 2],
    "content127": [127], "content128": [128], "two_byte_dims": [128, 2], "three_byte_dims": [16384],
}
NAMES = ["", "a", " blanks around ", "with/slash.and.dots", "día", "重み", "😀", "quote\"back\\slash", "line\nfeed",
         "x" * 127, "x" * 128, "é" * 1024]
STRINGS = {"empty": "", "text": "text", "accent": "día", "emoji": "a😀b", "zero": "a\0b", "trailing": "ab\0", "blanks": " a ",
           "long": "0123456789" * 20}


def chunked(async_save):
    """Two tensors in chunks: of 1 KiB instead of 512 MiB, the only thing changed."""
    whole = serialization.SLICE_SIZE
    serialization.SLICE_SIZE = 1
    try:
        # 2400 bytes: 1024 + 1024 + 352 (asynchronous: along axis 0 into three)
        return ms_save([named("first", "int32", [5, 120]), named("small", "int8", [3]), named("second", "float16", [1025]),
                        named("exact", "uint8", [1024])], async_save=async_save)
    finally:
        serialization.SLICE_SIZE = whole


class Table:
    """Stands for a MapParameter, which needs an accelerator: gives the slices that one would export."""

    def __init__(self, slices):
        self.slices = slices

    def export_slice_data(self, incremental):
        keys, values, status = self.slices.pop(0)
        return keys, values, status, not self.slices


def table(count, first, value_shape, key_type, value_type):
    keys = np.arange(first, first + count, dtype=key_type)
    values = np.arange(count * int(np.prod(value_shape)), dtype=value_type).reshape([count, *value_shape]) + 0.5
    return keys, values.astype(value_type), np.array([i % 2 for i in range(count)], np.int32)


def with_maps():
    entries = {
        "before": [[2], "Int8", ms_tensor("before", "int8", [2])],
        "one": ["mapparameter", Table([table(3, 10, [2], np.int32, np.float32)])],
        "two": ["mapparameter", Table([table(4, 0, [1, 2], np.int32, np.float16), table(1, 4, [1, 2], np.int32, np.float16)])],
        "none": ["mapparameter", Table([table(0, 0, [2], np.int32, np.float64)])],
        "after": [[], "Int64", ms_tensor("after", "int64", [])],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.ckpt")
        serialization._exec_save(path, entries)
        with open(path, "rb") as file:
            return file.read()


APPENDED = {"epoch": 3, "minus": -3, "most": 2**63 - 1, "least": -(2**63), "unsigned": 2**63, "all_bits": 2**64 - 1,
            "rate": 0.1, "infinite": float("inf"), "yes": True, "no": False, "note": "día", "empty": ""}

CKPT = {
    "dtypes.ckpt": lambda: ms_save([named(d, d, [2, 3]) for d in MS_DTYPES]),
    "scalars.ckpt": lambda: ms_save([named(d, d, []) for d in MS_DTYPES]),
    "shapes.ckpt": lambda: ms_save([named(n, "int8", s) for n, s in SHAPES.items()]),
    "names.ckpt": lambda: ms_save([named(n, "uint8", [2]) for n in NAMES]),
    "empty.ckpt": lambda: ms_save([named("rows", "float32", [0, 3]), named("columns", "int64", [3, 0]), named("flat", "int8", [0]),
                                   named("last", "bool", [2])], async_save="thread"),
    "nothing.ckpt": lambda: ms_save([]),
    "strings.ckpt": lambda: ms_save({**STRINGS, "tensor": Parameter(Tensor(ms_tensor("tensor", "int16", [2])), name="unused")}),
    "appended.ckpt": lambda: ms_save([named("weight", "float32", [2])],
                                     append_dict={**APPENDED, "mask": Tensor(ms_tensor("mask", "uint8", [2, 2]))}),
    "duplicates.ckpt": lambda: ms_save([named("twice", "int8", [2]), named("once", "int8", [1]), named("twice", "int32", [2, 1]),
                                        named("replaced", "float32", [1])], append_dict={"replaced": 7, "twice ": "other"}),
    "lenet.ckpt": lambda: ms_save(lenet()),
    "chunks.ckpt": lambda: chunked(False),
    "chunks_async.ckpt": lambda: chunked("thread"),
    "maps.ckpt": with_maps,
    "crc.ckpt": lambda: ms_save([named("b", "float32", [2, 3]), named("a", "int8", [5])], append_dict={"epoch": 3}, crc_check=True),
}

# ---------------------------------------------------------------- safetensors

# our name -> (the name in the header, the name that the Python writer takes, bits); no writer's name: the package cannot write it
ST_DTYPES = {
    "bool": ("BOOL", "bool", 8), "float4_e2m1": ("F4", "float4_e2m1fn_x2", 4), "float6_e2m3": ("F6_E2M3", None, 6),
    "float6_e3m2": ("F6_E3M2", None, 6), "uint8": ("U8", "uint8", 8), "int8": ("I8", "int8", 8),
    "float8_e5m2": ("F8_E5M2", "float8_e5m2", 8), "float8_e4m3": ("F8_E4M3", "float8_e4m3fn", 8),
    "float8_e8m0": ("F8_E8M0", "float8_e8m0fnu", 8), "float8_e4m3fnuz": ("F8_E4M3FNUZ", "float8_e4m3fnuz", 8),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", "float8_e5m2fnuz", 8), "int16": ("I16", "int16", 16), "uint16": ("U16", "uint16", 16),
    "float16": ("F16", "float16", 16), "bfloat16": ("BF16", "bfloat16", 16), "int32": ("I32", "int32", 32),
    "uint32": ("U32", "uint32", 32), "float32": ("F32", "float32", 32), "complex64": ("C64", "complex64", 64),
    "float64": ("F64", "float64", 64), "int64": ("I64", "int64", 64), "uint64": ("U64", "uint64", 64),
}
WRITABLE = [name for name, row in ST_DTYPES.items() if row[1]]


def st_content(name, dtype, shape):
    size = int(np.prod(shape, dtype=np.int64)) * ST_DTYPES[dtype][2] // 8
    return fill_bool(name, size) if dtype == "bool" else fill(name, size)


FORMAT = {"format": "ms"}  # what MindSpore gives, and our writer


def st_serialize(tensors, metadata=FORMAT):
    """tensors: (name, dtype, shape) rows. The bytes that the crate's own writer gives for them."""
    buffers, specs = [], {}
    for name, dtype, shape in tensors:
        content = st_content(name, dtype, shape)
        buffers.append(ctypes.create_string_buffer(content, max(1, len(content))))
        if dtype == "float4_e2m1":
            shape = [*shape[:-1], shape[-1] // 2]  # the writer counts pairs
        specs[name] = safetensors.TensorSpec(dtype=ST_DTYPES[dtype][1], shape=shape, data_ptr=ctypes.addressof(buffers[-1]),
                                             data_len=len(content))
    return bytes(safetensors.serialize(specs, metadata))


def until_ordered(write, keys):
    """The crate writes metadata in an order of chance: tries until it is this one."""
    for _ in range(10000):
        content = write()
        size = struct.unpack("<Q", content[:8])[0]
        if list(json.loads(content[8 : 8 + size])["__metadata__"]) == keys:
            return content
    raise RuntimeError(f"metadata never came in the order {keys}")


def by_hand(tensors):
    """Rows of (name, dtype, shape) laid out as the crate does; for the types which the package reads and cannot write."""
    header, data = {"__metadata__": FORMAT}, b""
    for name, dtype, shape in tensors:
        content = st_content(name, dtype, shape)
        header[name] = {"dtype": ST_DTYPES[dtype][0], "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + data
    found = [(name, value["dtype"], value["shape"], bytes(value["data"])) for name, value in safetensors.deserialize(content)]
    assert sorted(found) == sorted((name, ST_DTYPES[dtype][0], shape, st_content(name, dtype, shape)) for name, dtype, shape in tensors)
    return content


ST_NAMES = ["", "a", " blanks ", "slash/dots.", "día", "重み", "😀", "quote\"back\\slash", "\b\f\n\r\t", "\x00\x01\x1f\x7f", "\u2028",
            "x" * 2000]

SAFETENSORS = {
    "dtypes.safetensors": lambda: st_serialize([(d, d, [2, 4]) for d in WRITABLE]),
    "six_bits.safetensors": lambda: by_hand([("float6_e3m2", "float6_e3m2", [2, 4]), ("float6_e2m3", "float6_e2m3", [2, 4])]),
    "scalars.safetensors": lambda: st_serialize([(d, d, []) for d in WRITABLE if d != "float4_e2m1"]),
    "empty.safetensors": lambda: st_serialize([("rows", "float32", [0, 3]), ("columns", "int64", [3, 0]), ("flat", "int8", [0]),
                                               ("between", "float32", [2]), ("last", "bool", [2])]),
    "nothing.safetensors": lambda: st_serialize([], None),
    "nothing_format.safetensors": lambda: st_serialize([]),
    "order.safetensors": lambda: st_serialize([("b", "int8", [1]), ("a", "uint64", [1]), ("B", "int8", [2]), ("aa", "float32", [2]),
                                               ("é", "int8", [1]), ("a.10", "float32", [1]), ("a.9", "float32", [1])]),
    "names.safetensors": lambda: st_serialize([(n, "uint8", [2]) for n in ST_NAMES]),
    "metadata.safetensors": lambda: until_ordered(
        lambda: st_serialize([("w", "float32", [2, 2])], {"format": "ms", "note": "día \"1\"\n\u0001", "": "empty"}), ["format", "note", ""]),
    "no_metadata.safetensors": lambda: st_serialize([("w", "float32", [2, 2])], None),
    "lenet.safetensors": lambda: ms_save(lenet(), ".safetensors", format="safetensors"),
    "int4.safetensors": lambda: until_ordered(
        lambda: ms_save([named("packed", "int4", [2, 3]), named("plain", "int8", [2])], ".safetensors", format="safetensors"),
        ["format", "packed"]),
    # In another order than that of the names; MindSpore counts the number without axes as 7 zero bytes.
    "crc.safetensors": lambda: until_ordered(
        lambda: ms_save([named("b", "float32", [2, 3]), named("a", "int8", [5]), named("c", "float64", [1]),
                         {"name": "step", "data": Tensor(np.array(7, np.int64))}],
                        ".safetensors", format="safetensors", crc_check=True), ["format", "crc_num"]),
}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    folder = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
    check = "--check" in sys.argv
    for package, (found, wanted) in VERSIONS.items():
        if found != wanted:
            sys.exit(f"{package} is {found}; the golden files are those of {wanted}")
    os.makedirs(folder, exist_ok=True)
    failed = 0
    files = {**CKPT, **SAFETENSORS}
    for name, make in files.items():
        content, path = make(), os.path.join(folder, name)
        if not check:
            with open(path, "wb") as file:
                file.write(content)
        with open(path, "rb") as file:
            if file.read() != content:
                failed += 1
                print(f"{path} is not what the reference writes")
    for name in sorted(set(os.listdir(folder)) - set(files)):
        failed += 1
        print(f"{name} comes from nowhere")
    print(f"{len(files) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
