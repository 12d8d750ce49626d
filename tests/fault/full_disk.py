#!/usr/bin/env python3
"""Saves onto file systems that are really full. Needs root, mount and mkfs.ext4; exits with 77 (skipped) without.

usage: full_disk.py FAULT_CHILD LIBFAULT_INJECT

On tmpfs, on ext4, and on ext4 without extents, which cannot reserve space, so that the disk fills up while writing: the error says so, the
old file is as it was, no temporary stays behind, and no space is lost.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
MIB = 1 << 20


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def save(child: str, interposer: str, what: str, form: str, path: pathlib.Path) -> tuple[int, str]:
    environment = dict(os.environ, LD_PRELOAD=interposer, LC_ALL="C")
    environment["ASAN_OPTIONS"] = "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")
    done = subprocess.run(
        [child, what, form, "full", str(path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace").strip()


def free_bytes(path: pathlib.Path) -> int:
    status = os.statvfs(path)
    return status.f_bfree * status.f_bsize


def check(child: str, interposer: str, mounted: pathlib.Path, reserves: bool) -> list[str]:
    wrong = []
    for form in ("ckpt", "safetensors", "aes_gcm", "aes_cbc"):
        path = mounted / f"net.{'safetensors' if form == 'safetensors' else 'ckpt'}"
        if (code := save(child, interposer, "old", form, path)) != (0, ""):
            return [f"saving the old file: {code}"]
        old, free = path.read_bytes(), free_bytes(mounted)
        code, said = save(child, interposer, "large", form, path)
        text = f"{path}: cannot reserve " if reserves else f"{path}: cannot write: No space left on device, at byte "
        if code != 3 or not said.startswith(text) or "No space left on device" not in said:
            wrong.append(f"exit code {code}: {said}")
        if path.read_bytes() != old:
            wrong.append("the old file has changed")
        if stay := sorted(entry.name for entry in mounted.iterdir() if entry.name not in (path.name, "lost+found")):
            wrong.append(f"stays behind: {stay}")
        if free_bytes(mounted) < free - MIB // 8:  # a directory may have grown
            wrong.append(f"{free - free_bytes(mounted)} bytes are lost")
        if (code := save(child, interposer, "small", form, path)) != (0, "") or path.read_bytes() == old:
            wrong.append(f"what still fits is not saved: {code}")
        path.unlink()
    return wrong


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    child, interposer = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4") or not shutil.which("mount"):
        print("skipped: needs root, mount and mkfs.ext4")
        return SKIPPED
    failed, tried = False, 0
    with tempfile.TemporaryDirectory(prefix="ckpt-full-disk-") as root:
        mounted, image = pathlib.Path(root) / "mounted", pathlib.Path(root) / "image"
        mounted.mkdir()
        kinds = {
            "tmpfs": ([], ["-t", "tmpfs", "-o", "size=8m", "tmpfs"], True),
            "ext4": (["-O", "extent"], ["-o", "loop", str(image)], True),
            "ext4 without extents": (["-O", "^extent,^64bit"], ["-o", "loop", str(image)], False),
        }
        for name, (features, source, reserves) in kinds.items():
            try:
                if features:
                    image.unlink(missing_ok=True)
                    with image.open("wb") as file:
                        file.truncate(12 * MIB)
                    run("mkfs.ext4", "-q", "-F", "-m", "0", *features, str(image))
                run("mount", *source, str(mounted))
            except subprocess.CalledProcessError as error:
                print(f"{name}: skipped: {error.stderr.decode(errors='replace').strip()}")
                continue
            try:
                wrong = check(child, interposer, mounted, reserves)
            finally:
                run("umount", str(mounted))
            tried += 1
            failed = failed or bool(wrong)
            print(f"{name}: {'; '.join(wrong) if wrong else 'fine'}")
    return 1 if failed else 0 if tried else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
