"""saver.cpp's orders, obeyed by MindSpore (.ckpt) or safetensors (.safetensors), by the path's suffix."""

import fcntl
import os
import struct
import sys
import warnings

os.environ["GLOG_v"] = "4"
warnings.simplefilter("ignore")

import mindspore as ms
import numpy as np
import safetensors.numpy

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("=I", 2)
TENSORS = 5


def elements(version, tensor):
    count = (1 << 20) + 1000 * (version % 13) + 7 * tensor
    return np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(version)


def content(version):
    tensors = {f"layer{i}.weight": elements(version, i) for i in range(TENSORS)}
    return {**tensors, "version": np.array(version, np.int64)}


def version_of(path):
    if path.endswith(".ckpt"):
        found = {name: value.asnumpy() for name, value in ms.load_checkpoint(path).items()}
    else:
        found = safetensors.numpy.load_file(path, backend="pread")
    version = int(found["version"])
    wanted = content(version)
    if found.keys() != wanted.keys() or not all(np.array_equal(found[name], wanted[name]) for name in wanted):
        raise ValueError("other content")
    return version


def save(path, version, root):
    tensors = content(version)
    if path.endswith(".ckpt"):
        save_object = [{"name": name, "data": ms.Tensor(value)} for name, value in tensors.items()]
    folder = None if root == "-" else os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    answer("saving")
    try:
        if path.endswith(".ckpt"):
            ms.save_checkpoint(save_object, path)
        else:
            safetensors.numpy.save_file(tensors, path)
        if folder is not None:
            fcntl.ioctl(folder, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        result = "done"
    except BaseException as error:
        result = f"failed: {error}"
    if folder is not None:
        os.close(folder)  # before the answer, after which the file system is unmounted
    answer(result)


def answer(text):
    print(text.replace("\n", " "), flush=True)


for line in sys.stdin:
    order, path, *rest = line.split()
    if order == "save":
        save(path, int(rest[0]), rest[1])
    elif not os.path.exists(path):
        answer("missing")
    else:
        try:
            answer(f"version {version_of(path)}")
        except BaseException as error:
            answer(f"failed: {error}")
