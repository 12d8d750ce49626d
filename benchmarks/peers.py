"""The peers' side of a contest: MindSpore and safetensors, each where it is installed. Run by run.py in an interpreter
that has them; speaks the same lines as the C++ programs with --serve.

usage: peers.py save|many|load|memory|encrypted|stall|step FOLDER MEBIBYTES COUNT
"""
import importlib.util
import multiprocessing
import os
import pathlib
import sys
import threading
import time

# What the libraries print must not mix with our answers.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
os.environ.setdefault("GLOG_v", "3")


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def seconds(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def fresh(path: pathlib.Path, work) -> float:
    """Seconds to write a file that was not there."""
    path.unlink(missing_ok=True)
    try:
        return seconds(lambda: work(str(path)))
    finally:
        path.unlink(missing_ok=True)


def status(key: str) -> float:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return float(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status does not say {key}")


def extra_memory(path: pathlib.Path, work) -> float:
    """Bytes of the peak over what was resident before."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    fresh(path, work)
    return status("VmHWM") - before


def large(mebibytes: int) -> dict:
    import numpy
    random = numpy.random.default_rng(1)
    elements = (mebibytes << 20) // 64 // 4
    return {f"layer{i}.weight": random.random(elements, dtype=numpy.float32) for i in range(64)}


def small(count: int) -> dict:
    import numpy
    return {f"layer{i}.weight": numpy.full(4, i, numpy.float32) for i in range(count)}


def mindspore_savers(arrays: dict) -> dict:
    import mindspore
    # Tensors with memory of their own, as those of a network are.
    model = [{"name": name, "data": mindspore.Tensor(array.copy())} for name, array in arrays.items()]
    return {
        "MindSpore ckpt": ("ckpt", lambda path: mindspore.save_checkpoint(model, path)),
        "MindSpore safetensors":
            ("safetensors", lambda path: mindspore.save_checkpoint(model, path, format="safetensors")),
    }


def savers(arrays: dict) -> dict:
    found = {}
    if installed("mindspore"):
        found |= mindspore_savers(arrays)
    if installed("safetensors"):
        from safetensors.numpy import save_file
        found["safetensors (Python)"] = ("safetensors", lambda path: save_file(arrays, path, {"format": "ms"}))
    return found


def saving(arrays: dict, folder: pathlib.Path, measure) -> dict:
    return {name: lambda suffix=suffix, work=work: measure(folder / f"peer.{suffix}", work)
            for name, (suffix, work) in savers(arrays).items()}


def touch(arrays) -> int:
    import numpy
    return sum(int(array.reshape(-1).view(numpy.uint64).sum()) for array in arrays)


def loading(arrays: dict, folder: pathlib.Path, look) -> dict:
    """`look` looks at the loaded numpy arrays; files are made once."""
    found = {}
    paths = {}
    for name, (suffix, save) in savers(arrays).items():
        paths[name] = folder / f"{len(paths)}.{suffix}"
        save(str(paths[name]))
    os.sync()  # not while somebody is measured
    if installed("mindspore"):
        import mindspore

        def load(path: pathlib.Path, **options) -> None:
            look(value.asnumpy() for value in mindspore.load_checkpoint(str(path), **options).values())

        found["MindSpore ckpt"] = lambda: seconds(lambda: load(paths["MindSpore ckpt"]))
        found["MindSpore safetensors"] = lambda: seconds(
            lambda: load(paths["MindSpore safetensors"], format="safetensors"))
    if installed("safetensors"):
        from safetensors.numpy import load_file
        found["safetensors (Python)"] = lambda: seconds(
            lambda: look(load_file(str(paths["safetensors (Python)"])).values()))
    return found


def encrypting(arrays: dict, folder: pathlib.Path) -> dict:
    found = {}
    if not installed("mindspore"):
        return found
    import mindspore
    model = [{"name": name, "data": mindspore.Tensor(array.copy())} for name, array in arrays.items()]
    for mode, key in [("AES-GCM", bytes(range(32))), ("AES-CBC", bytes(range(32))), ("SM4-CBC", bytes(range(16)))]:
        path = folder / f"peer.{mode}.ckpt"

        def save(path: str, key=key, mode=mode) -> None:
            mindspore.save_checkpoint(model, path, enc_key=key, enc_mode=mode)

        save(str(path))
        found[f"MindSpore {mode} save"] = lambda save=save: fresh(folder / "peer.ckpt", save)
        found[f"MindSpore {mode} load"] = lambda path=path, key=key, mode=mode: seconds(
            lambda: mindspore.load_checkpoint(str(path), dec_key=key, dec_mode=mode))
    os.sync()  # not while somebody is measured
    return found


class AsyncSave:
    """A save of MindSpore's in the background, from the call on."""

    def __init__(self, model: list, path: pathlib.Path, mode: str) -> None:
        import mindspore
        self.path = path
        path.unlink(missing_ok=True)
        self.stall = seconds(lambda: mindspore.save_checkpoint(model, str(path), async_save=mode))
        name = "asyn_save_ckpt"  # which is how MindSpore itself finds those that it waits for
        self.workers = [each for each in threading.enumerate() + multiprocessing.active_children() if each.name == name]

    def is_done(self) -> bool:
        return not any(each.is_alive() for each in self.workers)

    def wait(self) -> None:
        for each in self.workers:
            each.join()
        if not self.path.exists():
            raise RuntimeError("MindSpore saved no file")
        self.path.unlink()


def mindspore_model(mebibytes: int) -> list:
    import mindspore
    arrays = large(mebibytes)
    return [{"name": name, "data": mindspore.Tensor(arrays.pop(name).copy())} for name in list(arrays)]


def stalling(mebibytes: int, folder: pathlib.Path) -> dict:
    if not installed("mindspore"):
        return {}
    model = mindspore_model(mebibytes)

    def stall(mode: str) -> float:
        save = AsyncSave(model, folder / "peer.ckpt", mode)
        save.wait()
        return save.stall

    return {f"MindSpore {mode}": lambda mode=mode: stall(mode) for mode in ["thread", "process"]}


def stepping(mebibytes: int, folder: pathlib.Path) -> dict:
    """Steps as those of async.cpp, by numpy."""
    if not installed("mindspore"):
        return {}
    import numpy
    activations = numpy.zeros(4096, numpy.float32)

    def step(model: list) -> None:
        for each in model:
            for _ in range(2000):
                numpy.multiply(activations, 0.5, out=activations)
            values = each["data"].asnumpy()  # no copy
            numpy.multiply(values, 0.999, out=values)

    def steps(mode: str | None) -> float:
        model = mindspore_model(mebibytes)  # a save by process leaves it in small pages
        done = 0
        save = AsyncSave(model, folder / "peer.ckpt", mode) if mode else None
        begin = time.perf_counter()
        while done == 0 or (not save.is_done() if save else done < 4):
            step(model)
            done += 1
        result = (time.perf_counter() - begin) / done
        if save:
            save.wait()
        return result

    return {"MindSpore step": lambda: steps(None)} | {
        f"MindSpore step {mode}": lambda mode=mode: steps(mode) for mode in ["thread", "process"]}


def contestants(question: str, folder: pathlib.Path, mebibytes: int, count: int) -> dict:
    if question == "save":
        return saving(large(mebibytes), folder, fresh)
    if question == "memory":
        return saving(large(mebibytes), folder, extra_memory)
    if question == "load":
        return loading(large(mebibytes), folder, touch)
    if question == "encrypted":
        return encrypting(large(mebibytes), folder)
    if question == "stall":
        return stalling(mebibytes, folder)
    if question == "step":
        return stepping(mebibytes, folder)
    arrays = small(count)
    found = {f"{name} save": work for name, work in saving(arrays, folder, fresh).items()}
    # Named as the C++ side names them; nobody looks at the tensors, there neither.
    found |= {f"{name} load": work for name, work in loading(arrays, folder, lambda arrays: None).items()}
    return found


def main() -> int:
    question, folder, mebibytes, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if not installed("numpy"):
        print("ready", file=ANSWERS)
        return 0
    found = contestants(question, folder, mebibytes, count)
    for name in found:
        print("contestant", name, file=ANSWERS)
    print("ready", file=ANSWERS)
    for line in sys.stdin:
        try:
            print(found[line.rstrip("\n")](), file=ANSWERS)
        except Exception as error:  # whatever a library raises is its result
            print("error", type(error).__name__, str(error).replace("\n", " "), file=ANSWERS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
